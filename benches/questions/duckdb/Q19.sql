-- Within 20 minutes of a site, and spent more than 100.
SELECT profile_id
FROM orders SEMI JOIN (SELECT profile_id FROM profiles WHERE minutes_to_site <= 20) USING (profile_id)
GROUP BY profile_id
HAVING sum(total) > 100
