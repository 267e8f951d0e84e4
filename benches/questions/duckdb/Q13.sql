-- Of the last five sends two or more with an open of the same campaign, none with a click.
WITH reached AS (
  SELECT profile_id, max_by(campaign, happened_at, 5) FILTER (type = 'send') AS sends,
    list(campaign) FILTER (type = 'open') AS opens, list(campaign) FILTER (type = 'click') AS clicks
  FROM events
  WHERE type IN ('send', 'open', 'click')
  GROUP BY profile_id
)
SELECT profile_id
FROM reached
WHERE len(list_filter(sends, lambda send: list_contains(opens, send))) >= 2
  AND NOT coalesce(list_has_any(sends, clicks), false)
