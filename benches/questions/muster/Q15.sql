-- The tenth of the profiles that spent most in the last 365 days, ties by key: how many, the least and the sum.
SELECT count(*) AS profiles, min(spent) AS least, sum(spent) AS spent
FROM (
  SELECT sum(orders.total) FILTER (WHERE placed_at >= now() - INTERVAL '365 days') AS spent
  FROM profiles
  ORDER BY spent DESC
  LIMIT {tenth}
) AS top
