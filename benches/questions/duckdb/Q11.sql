-- Ever bought one product, never another.
SELECT profile_id
FROM lines
WHERE product_id IN (17219, 27625)
GROUP BY profile_id
HAVING bool_and(product_id = 17219)
