-- Whose last visit ended at a product, and not with an order?
--
-- The latest visit was to a product, and no order came after it.
-- Result: profiles.

CREATE OR REPLACE SEGMENT last_seen_at_a_product COMMENT 'The last visit was to a product, no order since'
AS WHERE last(web_visits.page_type) = 'product'
     AND NOT coalesce(max(orders.placed_at) > max(web_visits.visited_at), FALSE);
