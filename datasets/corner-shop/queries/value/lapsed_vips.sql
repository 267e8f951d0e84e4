-- Which gold and platinum customers have stopped buying?
--
-- Builds on the segment `lapsed`.
-- Result: profiles.

CREATE OR REPLACE SEGMENT lapsed_vips COMMENT 'Lapsed customers of the two highest tiers'
AS WHERE segments.lapsed AND tier IN ('gold', 'platinum');
