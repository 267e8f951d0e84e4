-- A visit in the last 14 days with no order after it.
WITH visits AS (
  SELECT profile_id, max(happened_at) AS visited_at
  FROM events
  WHERE type = 'visit'
    AND happened_at >= TIMESTAMP '2025-06-16 12:00:00'
  GROUP BY profile_id
), bought AS (
  SELECT profile_id, max(placed_at) AS bought_at
  FROM orders
  WHERE placed_at >= TIMESTAMP '2025-06-16 12:00:00'
  GROUP BY profile_id
)
SELECT profile_id
FROM visits LEFT JOIN bought USING (profile_id)
WHERE bought_at IS NULL OR bought_at <= visited_at
