-- The regions of a Venn diagram of eight segments.
SELECT s1, s2, s3, s4, s5, s6, s7, s8, count(*) AS profiles
FROM memberships
WHERE s1 OR s2 OR s3 OR s4 OR s5 OR s6 OR s7 OR s8
GROUP BY s1, s2, s3, s4, s5, s6, s7, s8
