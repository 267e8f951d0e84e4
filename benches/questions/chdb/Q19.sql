-- Within 20 minutes of a site, and spent more than 100.
SELECT profile_id
FROM orders
WHERE profile_id IN (SELECT profile_id FROM profiles WHERE minutes_to_site <= 20)
GROUP BY profile_id
HAVING sum(total) > 100
