-- In two stored segments, and in neither of two others.
SELECT profile_id
FROM memberships
WHERE s1 AND s2
  AND NOT (s3 OR s4)
