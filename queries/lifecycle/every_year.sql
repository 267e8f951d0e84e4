-- Who ordered in each of the last three years?
--
-- Years back from now, not calendar years.
-- Result: profiles.

CREATE OR REPLACE SEGMENT every_year COMMENT 'Ordered in each of the last three years'
AS WHERE has(orders) FILTER (WHERE orders.placed_at >= now() - INTERVAL '1 year')
     AND has(orders) FILTER (
           WHERE orders.placed_at >= now() - INTERVAL '2 years'
             AND orders.placed_at < now() - INTERVAL '1 year'
         )
     AND has(orders) FILTER (
           WHERE orders.placed_at >= now() - INTERVAL '3 years'
             AND orders.placed_at < now() - INTERVAL '2 years'
         );
