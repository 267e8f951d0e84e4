-- A visit in the last 14 days with no order after it.
SELECT profile_id
FROM profiles
WHERE has(events) FILTER (
    WHERE type = 'visit' AND happened_at >= now() - INTERVAL '14 days'
      AND NOT has(orders) FILTER (WHERE orders.placed_at > events.happened_at)
  )
