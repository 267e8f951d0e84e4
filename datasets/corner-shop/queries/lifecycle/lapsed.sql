-- Who used to buy and has stopped?
--
-- At least two orders ever, the last one more than 180 days ago.
-- Result: profiles.

CREATE OR REPLACE SEGMENT lapsed COMMENT 'Two orders or more, none in the last 180 days'
AS WHERE count(orders) >= 2
     AND max(orders.placed_at) < now() - INTERVAL '180 days';
