-- Who bought a sofa, and cushions within 30 days after it?
--
-- In a later order, not in the same one.
-- Result: profiles.

CREATE OR REPLACE SEGMENT cushions_after_sofa COMMENT 'Cushions in the 30 days after a sofa'
AS WHERE has_sequence(
           order_lines,
           products.category = 'Sofas',
           products.category = 'Cushions',
           within => INTERVAL '30 days'
         );
