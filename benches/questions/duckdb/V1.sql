-- The regions of a Venn diagram of five segments.
SELECT s1, s2, s3, s4, s5, count(*) AS profiles
FROM memberships
WHERE s1 OR s2 OR s3 OR s4 OR s5
GROUP BY s1, s2, s3, s4, s5
