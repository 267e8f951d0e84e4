-- Who spent 2,500 or more in the last year?
--
-- Orders that were cancelled or sent back do not count. Amounts are in the workspace's currency.
-- Result: profiles.

CREATE OR REPLACE SEGMENT big_spenders COMMENT 'Spent 2,500 or more in the last 365 days'
AS WHERE sum(orders.total) FILTER (
           WHERE orders.status NOT IN ('cancelled', 'returned')
             AND orders.placed_at >= now() - INTERVAL '365 days'
         ) >= 2500;
