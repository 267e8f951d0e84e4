-- Over which channel does somebody usually order?
--
-- Of several the first in the alphabet.
-- Result: a channel, NULL without orders.

CREATE OR REPLACE VARIABLE usual_channel COMMENT 'The channel with the most orders'
AS mode(orders.channel);
