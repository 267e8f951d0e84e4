-- An order with three lines or more of a category, each of more than 50.
SELECT DISTINCT profile_id
FROM (
  SELECT profile_id
  FROM lines_with_category
  WHERE category = 'C019'
    AND quantity * price > 50
  GROUP BY profile_id, order_id
  HAVING count(*) >= 3
)
