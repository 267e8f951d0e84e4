-- Any order in the last 90 days.
SELECT DISTINCT profile_id
FROM orders
WHERE placed_at >= TIMESTAMP '2025-04-01 12:00:00'
