-- Lapsed: two orders or more before, none in the last 180 days.
SELECT profile_id
FROM orders
GROUP BY profile_id
HAVING count(*) >= 2
  AND max(placed_at) < '2025-01-01 12:00:00'
