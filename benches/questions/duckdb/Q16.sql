-- Five of a hundred of each region, by a seeded hash: how many, and the sum of their draws.
WITH drawn AS (
  SELECT profile_id, region, ('0x' || sha256('panel' || chr(0) || profile_id)[1:16])::UBIGINT % 1000000000 AS draw
  FROM profiles
), panel AS (
  SELECT region, draw
  FROM drawn
  QUALIFY row_number() OVER (PARTITION BY region ORDER BY draw, profile_id)
    <= (count(*) OVER (PARTITION BY region) + 19) // 20
)
SELECT region, count(*) AS profiles, sum(draw) AS draws
FROM panel
GROUP BY region
