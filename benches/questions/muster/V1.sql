-- The regions of a Venn diagram of five segments.
SELECT *
FROM venn('s1', 's2', 's3', 's4', 's5')
