-- Lapsed: two orders or more before, none in the last 180 days.
SELECT profile_id
FROM profiles
WHERE count(orders) FILTER (WHERE placed_at < now() - INTERVAL '180 days') >= 2
  AND NOT has(orders) FILTER (WHERE placed_at >= now() - INTERVAL '180 days')
