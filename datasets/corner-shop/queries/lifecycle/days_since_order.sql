-- How many days ago did somebody last order?
--
-- Result: days of the calendar, NULL without orders.

CREATE OR REPLACE VARIABLE days_since_order COMMENT 'Days since the last order'
AS days_between(max(orders.placed_at), now());
