-- Consent, and one of two regions.
SELECT profile_id
FROM profiles
WHERE consent
  AND region IN ('R03', 'R07')
