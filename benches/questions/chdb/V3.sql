-- How many profiles each two of 200 segments share.
SELECT one.segment AS segment_a, other.segment AS segment_b, bitmapAndCardinality(one.members, other.members) AS profiles
FROM bitmaps AS one CROSS JOIN bitmaps AS other
