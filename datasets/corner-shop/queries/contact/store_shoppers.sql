-- Who bought most often at another store than their own?
--
-- More than half of all orders in a store were placed at another one.
-- Result: profiles.

CREATE OR REPLACE SEGMENT store_shoppers COMMENT 'More often at another store than at their own'
AS WHERE count(orders) FILTER (WHERE orders.store_id <> profiles.home_store) * 2
         > count(orders) FILTER (WHERE orders.store_id IS NOT NULL);
