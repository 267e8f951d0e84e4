-- Income unknown or high, gender known.
SELECT profile_id
FROM profiles
WHERE (income IS NULL OR income >= 8)
  AND gender <> 'x'
