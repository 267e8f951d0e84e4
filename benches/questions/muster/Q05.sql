-- Any order in the last 90 days.
SELECT profile_id
FROM profiles
WHERE has(orders) FILTER (WHERE placed_at >= now() - INTERVAL '90 days')
