-- Women from 25 to 34 in three regions, at least silver.
SELECT profile_id
FROM profiles
WHERE birth_date > '1990-06-30'
  AND birth_date <= '2000-06-30'
  AND gender = 'f'
  AND region IN ('R01', 'R05', 'R09')
  AND tier IN ('silver', 'gold', 'platinum')
