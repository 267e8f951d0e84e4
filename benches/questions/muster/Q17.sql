-- In two stored segments, and in neither of two others.
SELECT profile_id
FROM profiles
WHERE (audiences.s1 AND audiences.s2)
  AND NOT (audiences.s3 OR audiences.s4)
