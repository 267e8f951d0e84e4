-- An order of late, or mails that are opened; not lapsed; women from 25 to 34 in three regions, at least silver.
WITH candidates AS (
  SELECT profile_id
  FROM profiles
  WHERE birth_date > '1990-06-30'
    AND birth_date <= '2000-06-30'
    AND gender = 'f'
    AND region IN ('R01', 'R05', 'R09')
    AND tier IN ('silver', 'gold', 'platinum')
), ordered AS (
  SELECT profile_id, count(*) AS orders, max(placed_at) AS latest
  FROM orders
  WHERE profile_id IN (SELECT profile_id FROM candidates)
  GROUP BY profile_id
), reached AS (
  SELECT profile_id, groupArraySortedIf(5)((-toInt64(toUnixTimestamp(happened_at)), campaign), type = 'send') AS sends,
    groupArrayIf(campaign, type = 'open') AS opens, groupArrayIf(campaign, type = 'click') AS clicks
  FROM events
  WHERE profile_id IN (SELECT profile_id FROM candidates)
    AND type IN ('send', 'open', 'click')
  GROUP BY profile_id
)
SELECT profile_id
FROM candidates
WHERE (
    profile_id IN (SELECT profile_id FROM ordered WHERE latest >= '2025-04-01 12:00:00')
    OR profile_id IN (
      SELECT profile_id
      FROM reached
      WHERE arrayCount(send -> has(opens, send.2), sends) >= 2
        AND NOT arrayExists(send -> has(clicks, send.2), sends)
    )
  )
  AND profile_id NOT IN (SELECT profile_id FROM ordered WHERE orders >= 2 AND latest < '2025-01-01 12:00:00')
