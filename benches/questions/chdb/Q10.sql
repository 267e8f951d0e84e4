-- The first order in a store, the latest on the web.
SELECT profile_id
FROM orders
GROUP BY profile_id
HAVING argMin(channel, placed_at) = 'store'
  AND argMax(channel, placed_at) = 'web'
