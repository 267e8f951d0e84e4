-- By month, channel and category: what was bought, and by how many profiles.
SELECT date_trunc('month', orders.placed_at) AS month, orders.channel, products.category,
  sum(quantity * price) AS amount, count(DISTINCT profiles.profile_id) AS profiles
FROM order_lines
GROUP BY date_trunc('month', orders.placed_at), orders.channel, products.category
