-- Five of a hundred of each region, by a seeded hash: how many, and the sum of their draws.
SELECT region, count(*) AS profiles, sum(draw) AS draws
FROM (
  SELECT region, bucket(1000000000, 'panel') AS draw
  FROM profiles
  QUALIFY row_number() OVER (PARTITION BY region ORDER BY bucket(1000000000, 'panel'), profile_id)
    <= ceil(0.05 * count(*) OVER (PARTITION BY region))
) AS panel
GROUP BY region
