-- Of the last five sends two or more with an open of the same campaign, none with a click.
SELECT profile_id
FROM profiles
WHERE count(s => latest(events, 5, type = 'send')) FILTER (
    WHERE has(o => events) FILTER (WHERE o.type = 'open' AND o.campaign = s.campaign)
  ) >= 2
  AND NOT has(s => latest(events, 5, type = 'send')) FILTER (
    WHERE has(c => events) FILTER (WHERE c.type = 'click' AND c.campaign = s.campaign)
  )
