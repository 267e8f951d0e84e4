-- Who left a cart and ordered nothing since?
--
-- Any cart that was not ordered, whether it still counts as open or not.
-- Result: profiles.

CREATE OR REPLACE SEGMENT cart_not_ordered COMMENT 'A cart without an order after it'
AS WHERE has(carts) FILTER (
           WHERE carts.status <> 'ordered'
             AND NOT has(orders) FILTER (WHERE orders.placed_at > carts.updated_at)
         );
