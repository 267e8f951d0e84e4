-- Who ordered once, and is due for a second time?
--
-- The only order is 30 to 90 days old: later hardly anybody comes back by themselves.
-- Result: profiles.

CREATE OR REPLACE SEGMENT second_order_due COMMENT 'One order, 30 to 90 days ago'
AS WHERE count(orders) = 1
     AND max(orders.placed_at) >= now() - INTERVAL '90 days'
     AND max(orders.placed_at) < now() - INTERVAL '30 days';
