-- By campaign and type of event: how many profiles.
SELECT campaign, type, count(DISTINCT profile_id) AS profiles
FROM events
GROUP BY campaign, type
