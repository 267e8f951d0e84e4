-- An order of late, or mails that are opened; not lapsed; women from 25 to 34 in three regions, at least silver.
WITH candidates AS (
  SELECT profile_id
  FROM profiles
  WHERE birth_date > DATE '1990-06-30'
    AND birth_date <= DATE '2000-06-30'
    AND gender = 'f'
    AND region IN ('R01', 'R05', 'R09')
    AND tier IN ('silver', 'gold', 'platinum')
), ordered AS (
  SELECT profile_id, count(*) AS orders, max(placed_at) AS latest
  FROM orders SEMI JOIN candidates USING (profile_id)
  GROUP BY profile_id
), reached AS (
  SELECT profile_id, max_by(campaign, happened_at, 5) FILTER (type = 'send') AS sends,
    list(campaign) FILTER (type = 'open') AS opens, list(campaign) FILTER (type = 'click') AS clicks
  FROM events SEMI JOIN candidates USING (profile_id)
  WHERE type IN ('send', 'open', 'click')
  GROUP BY profile_id
)
SELECT profile_id
FROM candidates
WHERE (
    profile_id IN (SELECT profile_id FROM ordered WHERE latest >= TIMESTAMP '2025-04-01 12:00:00')
    OR profile_id IN (
      SELECT profile_id
      FROM reached
      WHERE len(list_filter(sends, lambda send: list_contains(opens, send))) >= 2
        AND NOT coalesce(list_has_any(sends, clicks), false)
    )
  )
  AND profile_id NOT IN (SELECT profile_id FROM ordered WHERE orders >= 2 AND latest < TIMESTAMP '2025-01-01 12:00:00')
