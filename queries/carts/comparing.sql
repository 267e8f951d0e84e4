-- Who looked at one category three times or more in the last 30 days?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT comparing COMMENT 'Three visits to one category in 30 days'
AS WHERE has(one => web_visits) FILTER (
           WHERE one.visited_at >= now() - INTERVAL '30 days'
             AND count(other => web_visits) FILTER (
                   WHERE other.visited_at >= now() - INTERVAL '30 days'
                     AND other.category = one.category
                 ) >= 3
         );
