-- By month, channel and category: what was bought, and by how many profiles.
SELECT toStartOfMonth(placed_at) AS month, channel, category, sum(quantity * price) AS amount,
  uniqExact(profile_id) AS profiles
FROM lines_with_category
GROUP BY month, channel, category
