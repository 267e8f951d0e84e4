-- By region, age in tens and tier: profiles and what they spent.
WITH spending AS (
  SELECT profile_id, sum(total) AS spent
  FROM orders
  GROUP BY profile_id
), banded AS (
  SELECT profile_id, region, tier,
    (20250630 - year(birth_date) * 10000 - month(birth_date) * 100 - day(birth_date)) // 100000 AS tens
  FROM profiles
)
SELECT region, tens, tier, count(*) AS profiles, sum(spent) AS spent
FROM banded LEFT JOIN spending USING (profile_id)
GROUP BY region, tens, tier
