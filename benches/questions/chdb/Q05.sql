-- Any order in the last 90 days.
SELECT profile_id
FROM orders
WHERE placed_at >= '2025-04-01 12:00:00'
GROUP BY profile_id
