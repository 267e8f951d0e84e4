-- More than 80 per order on average, of four orders or more.
SELECT profile_id
FROM orders
GROUP BY profile_id
HAVING count(*) >= 4
  AND sum(total) > 80 * count(*)
