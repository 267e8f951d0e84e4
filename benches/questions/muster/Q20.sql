-- An order with three lines or more of a category, each of more than 50.
SELECT profile_id
FROM profiles
WHERE has(orders) FILTER (
    WHERE count(order_lines) FILTER (WHERE products.category = 'C019' AND quantity * price > 50) >= 3
  )
