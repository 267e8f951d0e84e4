-- By region, age in tens and tier: profiles and what they spent.
WITH spending AS (
  SELECT profile_id, sum(total) AS spent
  FROM orders
  GROUP BY profile_id
)
SELECT region, intDiv(20250630 - toYYYYMMDD(birth_date), 100000) AS tens, tier, count(*) AS profiles, sum(spent) AS spent
FROM profiles LEFT JOIN spending USING (profile_id)
GROUP BY region, tens, tier
