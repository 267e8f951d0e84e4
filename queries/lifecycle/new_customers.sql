-- Whose first order is at most 30 days old?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT new_customers COMMENT 'First order in the last 30 days'
AS WHERE min(orders.placed_at) >= now() - INTERVAL '30 days';
