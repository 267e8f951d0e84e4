-- Who visited the web shop in the last two weeks and ordered nothing in that time?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT looking_around COMMENT 'Visited in the last 14 days without ordering'
AS WHERE has(web_visits) FILTER (WHERE web_visits.visited_at >= now() - INTERVAL '14 days')
     AND NOT has(orders) FILTER (WHERE orders.placed_at >= now() - INTERVAL '14 days');
