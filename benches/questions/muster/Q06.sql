-- Three orders or more in the last 365 days.
SELECT profile_id
FROM profiles
WHERE count(orders) FILTER (WHERE placed_at >= now() - INTERVAL '365 days') >= 3
