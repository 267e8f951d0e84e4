-- By month, channel and category: what was bought, and by how many profiles.
SELECT date_trunc('month', placed_at) AS month, channel, category, sum(quantity * price) AS amount,
  count(DISTINCT profile_id) AS profiles
FROM lines_with_category
GROUP BY month, channel, category
