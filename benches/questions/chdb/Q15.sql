-- The tenth of the profiles that spent most in the last 365 days, ties by key: how many, the least and the sum.
SELECT count(*) AS profiles, min(amount) AS least, sum(amount) AS spent
FROM (
  SELECT profile_id, sum(total) AS amount
  FROM orders
  WHERE placed_at >= '2024-06-30 12:00:00'
  GROUP BY profile_id
  ORDER BY amount DESC, profile_id
  LIMIT {tenth}
)
