-- Who left 1,000 or more in a cart?
--
-- Pieces times the price that the cart had.
-- Result: profiles.

CREATE OR REPLACE SEGMENT valuable_carts COMMENT 'A cart of 1,000 or more that was not ordered'
AS WHERE has(carts) FILTER (
           WHERE carts.status <> 'ordered'
             AND sum(cart_lines.quantity * cart_lines.price) >= 1000
         );
