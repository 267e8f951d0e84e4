-- Who bought a sofa and no cushions to go with it?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT sofa_without_cushions COMMENT 'Bought a sofa, never cushions'
AS WHERE has(order_lines) FILTER (WHERE products.category = 'Sofas')
     AND NOT has(order_lines) FILTER (WHERE products.category = 'Cushions');
