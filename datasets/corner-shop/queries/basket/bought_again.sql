-- Who bought the same product in two different orders?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT bought_again COMMENT 'The same product in two orders'
AS WHERE has(one => order_lines) FILTER (
           WHERE has(other => order_lines) FILTER (
                   WHERE other.product_id = one.product_id
                     AND other.order_id <> one.order_id
                 )
         );
