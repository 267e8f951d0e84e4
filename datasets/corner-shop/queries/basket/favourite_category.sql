-- Which category does somebody buy most?
--
-- By lines of orders; of several the first in the alphabet.
-- Result: a category, NULL without orders.

CREATE OR REPLACE VARIABLE favourite_category COMMENT 'The category with the most order lines'
AS mode(order_lines.products.category);
