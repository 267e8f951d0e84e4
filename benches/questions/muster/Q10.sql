-- The first order in a store, the latest on the web.
SELECT profile_id
FROM profiles
WHERE first(orders.channel) = 'store'
  AND last(orders.channel) = 'web'
