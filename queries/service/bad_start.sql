-- Who sent back their very first order?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT bad_start COMMENT 'The first order was sent back'
AS WHERE first(orders.status) = 'returned';
