-- An order of late, or mails that are opened; not lapsed; women from 25 to 34 in three regions, at least silver.
SELECT profile_id
FROM profiles
WHERE (
    has(orders) FILTER (WHERE placed_at >= now() - INTERVAL '90 days')
    OR (
      count(s => latest(events, 5, type = 'send')) FILTER (
        WHERE has(o => events) FILTER (WHERE o.type = 'open' AND o.campaign = s.campaign)
      ) >= 2
      AND NOT has(s => latest(events, 5, type = 'send')) FILTER (
        WHERE has(c => events) FILTER (WHERE c.type = 'click' AND c.campaign = s.campaign)
      )
    )
  )
  AND NOT (
    count(orders) FILTER (WHERE placed_at < now() - INTERVAL '180 days') >= 2
    AND NOT has(orders) FILTER (WHERE placed_at >= now() - INTERVAL '180 days')
  )
  AND age(birth_date) BETWEEN 25 AND 34
  AND gender = 'f'
  AND region IN ('R01', 'R05', 'R09')
  AND tier IN ('silver', 'gold', 'platinum')
