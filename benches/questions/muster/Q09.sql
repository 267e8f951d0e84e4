-- More than 80 per order on average, of four orders or more.
SELECT profile_id
FROM profiles
WHERE avg(orders.total) > 80
  AND count(orders) >= 4
