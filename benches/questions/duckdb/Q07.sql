-- Spent from 200 to 1000 in the last 365 days.
SELECT profile_id
FROM orders
WHERE placed_at >= TIMESTAMP '2024-06-30 12:00:00'
GROUP BY profile_id
HAVING sum(total) BETWEEN 200 AND 1000
