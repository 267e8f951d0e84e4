-- Which 500 customers try a new campaign first?
--
-- Drawn by a seed: the same ones every time, and 500 exactly.
-- Result: 500 profiles.

CREATE OR REPLACE SEGMENT pilot_500 COMMENT 'Five hundred, drawn by a seed'
AS SELECT * FROM profiles ORDER BY bucket(1000000000, 'pilot') LIMIT 500;
