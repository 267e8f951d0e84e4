-- The regions of a Venn diagram of eight segments.
SELECT *
FROM venn('s1', 's2', 's3', 's4', 's5', 's6', 's7', 's8')
