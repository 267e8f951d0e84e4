-- Who are the hundred customers that spent most in the last year?
--
-- Ties go to the lower key.
-- Result: at most 100 profiles.

CREATE OR REPLACE SEGMENT top_hundred COMMENT 'The hundred highest totals of the last 365 days'
AS SELECT * FROM profiles
WHERE has(orders) FILTER (WHERE orders.placed_at >= now() - INTERVAL '365 days')
ORDER BY sum(orders.total) FILTER (WHERE orders.placed_at >= now() - INTERVAL '365 days') DESC
LIMIT 100;
