-- Of the last five sends two or more with an open of the same campaign, none with a click.
WITH sends AS (
  SELECT profile_id, campaign
  FROM events
  WHERE type = 'send'
  QUALIFY row_number() OVER (PARTITION BY profile_id ORDER BY happened_at DESC) <= 5
), opens AS (
  SELECT profile_id, count(*) AS opened
  FROM sends SEMI JOIN (SELECT profile_id, campaign FROM events WHERE type = 'open') USING (profile_id, campaign)
  GROUP BY profile_id
  HAVING count(*) >= 2
), clicks AS (
  SELECT profile_id
  FROM sends SEMI JOIN (SELECT profile_id, campaign FROM events WHERE type = 'click') USING (profile_id, campaign)
)
SELECT profile_id
FROM opens ANTI JOIN clicks USING (profile_id)
