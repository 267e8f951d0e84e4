-- Spent from 200 to 1000 in the last 365 days.
SELECT profile_id
FROM profiles
WHERE sum(orders.total) FILTER (WHERE placed_at >= now() - INTERVAL '365 days') BETWEEN 200 AND 1000
