-- How many orders did somebody place in the last year?
--
-- Result: a number of orders.

CREATE OR REPLACE VARIABLE orders_last_year COMMENT 'Orders of the last 365 days'
AS count(orders) FILTER (WHERE orders.placed_at >= now() - INTERVAL '365 days');
