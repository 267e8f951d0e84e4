-- Three orders or more in the last 365 days.
SELECT profile_id
FROM orders
WHERE placed_at >= '2024-06-30 12:00:00'
GROUP BY profile_id
HAVING count(*) >= 3
