-- By region, age in tens and tier: profiles and what they spent.
SELECT region, age(birth_date) / 10 AS tens, tier, count(*) AS profiles, sum(sum(orders.total)) AS spent
FROM profiles
GROUP BY region, age(birth_date) / 10, tier
