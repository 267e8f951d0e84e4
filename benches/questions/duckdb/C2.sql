-- By month, channel and category: what was bought, and by how many profiles.
WITH bought AS (
  SELECT date_trunc('month', placed_at) AS month, channel, category, profile_id, sum(quantity * price) AS amount
  FROM lines_with_category
  GROUP BY month, channel, category, profile_id
)
SELECT month, channel, category, sum(amount) AS amount, count(*) AS profiles
FROM bought
GROUP BY month, channel, category
