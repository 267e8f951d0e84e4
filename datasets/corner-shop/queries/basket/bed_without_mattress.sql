-- Who bought a bed and no mattress, before or since?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT bed_without_mattress COMMENT 'Bought a bed, never a mattress'
AS WHERE has(order_lines) FILTER (WHERE products.category = 'Beds')
     AND NOT has(order_lines) FILTER (WHERE products.category = 'Mattresses');
