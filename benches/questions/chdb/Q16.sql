-- Five of a hundred of each region, by a seeded hash: how many, and the sum of their draws.
WITH drawn AS (
  SELECT profile_id, region,
    reinterpretAsUInt64(reverse(substring(SHA256(concat('panel', char(0), toString(profile_id))), 1, 8))) % 1000000000 AS draw
  FROM profiles
), panel AS (
  SELECT region, draw
  FROM drawn
  QUALIFY row_number() OVER (PARTITION BY region ORDER BY draw, profile_id)
    <= intDiv(count(*) OVER (PARTITION BY region) + 19, 20)
)
SELECT region, count(*) AS profiles, sum(draw) AS draws
FROM panel
GROUP BY region
