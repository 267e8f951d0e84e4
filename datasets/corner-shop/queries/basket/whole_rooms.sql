-- Who ever ordered from five categories at once?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT whole_rooms COMMENT 'One order with products of five categories'
AS WHERE has(orders) FILTER (WHERE count(DISTINCT order_lines.products.category) >= 5);
