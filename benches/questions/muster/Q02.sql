-- Women from 25 to 34 in three regions, at least silver.
SELECT profile_id
FROM profiles
WHERE age(birth_date) BETWEEN 25 AND 34
  AND gender = 'f'
  AND region IN ('R01', 'R05', 'R09')
  AND tier IN ('silver', 'gold', 'platinum')
