-- How many profiles each two of 200 segments share.
WITH pairs AS MATERIALIZED (
  SELECT one.segment AS segment_a, other.segment AS segment_b, bit_count(one.members & other.members) AS profiles
  FROM bitmaps AS one JOIN bitmaps AS other ON one.segment <= other.segment
)
SELECT segment_a, segment_b, profiles
FROM pairs
UNION ALL
SELECT segment_b, segment_a, profiles
FROM pairs
WHERE segment_a <> segment_b
