-- Ever bought one product, never another.
SELECT profile_id
FROM profiles
WHERE has(order_lines) FILTER (WHERE product_id = '17219')
  AND NOT has(order_lines) FILTER (WHERE product_id = '27625')
