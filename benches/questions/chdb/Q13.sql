-- Of the last five sends two or more with an open of the same campaign, none with a click.
SELECT profile_id
FROM (
  SELECT profile_id, campaign
  FROM events
  WHERE type = 'send'
  ORDER BY profile_id DESC, happened_at DESC
  LIMIT 5 BY profile_id
)
GROUP BY profile_id
HAVING countIf((profile_id, campaign) IN (SELECT profile_id, campaign FROM events WHERE type = 'open')) >= 2
  AND countIf((profile_id, campaign) IN (SELECT profile_id, campaign FROM events WHERE type = 'click')) = 0
