-- Who spent more than 1,000 on sofas?
--
-- Pieces times the price as paid; what was cancelled or sent back does not count.
-- Result: profiles.

CREATE OR REPLACE SEGMENT sofa_spenders COMMENT 'Spent over 1,000 on sofas'
AS WHERE sum(order_lines.quantity * order_lines.price) FILTER (
           WHERE products.category = 'Sofas'
             AND orders.status NOT IN ('cancelled', 'returned')
         ) > 1000;
