-- Bought any of fifty products, and any of them again strictly later within 30 days.
WITH bought AS (
  SELECT DISTINCT profile_id, placed_at
  FROM lines
  WHERE product_id IN (
    24093, 18047, 21257, 25277, 15515, 25685, 25996, 11366, 20689, 27600, 20914, 22526,
    13402, 16178, 11020, 25245, 21124, 17298, 20197, 11451, 15308, 11124, 22912, 28063,
    18244, 24628, 20000, 19379, 10208, 27499, 11271, 26157, 25370, 18809, 18962, 26769,
    12568, 23258, 22016, 23549, 21441, 16339, 27869, 17688, 25755, 12108, 17284, 28393,
    22760, 21316
  )
), followed AS (
  SELECT profile_id, placed_at, lead(placed_at) OVER (PARTITION BY profile_id ORDER BY placed_at) AS next_at
  FROM bought
)
SELECT DISTINCT profile_id
FROM followed
WHERE next_at <= placed_at + INTERVAL 30 DAY
