-- Who is known to the shop and has never ordered?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT prospects COMMENT 'Known, and never ordered anything'
AS WHERE NOT has(orders);
