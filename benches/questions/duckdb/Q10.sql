-- The first order in a store, the latest on the web.
SELECT profile_id
FROM orders
GROUP BY profile_id
HAVING arg_min(channel, placed_at) = 'store'
  AND arg_max(channel, placed_at) = 'web'
