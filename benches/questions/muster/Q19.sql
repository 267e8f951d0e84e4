-- Within 20 minutes of a site, and spent more than 100.
SELECT profile_id
FROM profiles
WHERE minutes_to_site <= 20
  AND sum(orders.total) > 100
