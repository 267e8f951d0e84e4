-- Who spent more in the last half year than in the half year before, and something in both?
--
-- Half a year is 182 days. Orders that were cancelled or sent back do not count.
-- Result: profiles.

CREATE OR REPLACE SEGMENT rising_spenders COMMENT 'Spent more in the last 182 days than in the 182 before'
AS WHERE sum(orders.total) FILTER (
           WHERE orders.status NOT IN ('cancelled', 'returned')
             AND orders.placed_at >= now() - INTERVAL '182 days'
         ) > sum(orders.total) FILTER (
           WHERE orders.status NOT IN ('cancelled', 'returned')
             AND orders.placed_at >= now() - INTERVAL '364 days'
             AND orders.placed_at < now() - INTERVAL '182 days'
         );
