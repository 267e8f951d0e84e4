-- What did somebody spend in the last year?
--
-- Orders that were cancelled or sent back do not count.
-- Result: an amount in the currency of the workspace, NULL without such orders.

CREATE OR REPLACE VARIABLE spent_last_year COMMENT 'Spent in the last 365 days'
AS sum(orders.total) FILTER (
     WHERE orders.status NOT IN ('cancelled', 'returned')
       AND orders.placed_at >= now() - INTERVAL '365 days'
   );
