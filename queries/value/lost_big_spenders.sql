-- Who was a big spender a year ago and is not one now?
--
-- Builds on the segment `big_spenders`, as of now and as of then.
-- Result: profiles.

CREATE OR REPLACE SEGMENT lost_big_spenders COMMENT 'A big spender a year ago, and not now'
AS WHERE was(segments.big_spenders, now() - INTERVAL '1 year')
     AND NOT segments.big_spenders;
