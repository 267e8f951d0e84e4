-- Who ordered for the garden at least twice?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT gardeners COMMENT 'Two orders or more with something for the garden'
AS WHERE count(orders) FILTER (
           WHERE has(order_lines) FILTER (WHERE products.category IN ('Garden', 'Garden accessories'))
         ) >= 2;
