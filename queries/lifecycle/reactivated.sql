-- Who came back in the last 60 days after half a year of silence?
--
-- An order of the last 60 days that is the first for 180 days, of someone who had ordered before.
-- Result: profiles.

CREATE OR REPLACE SEGMENT reactivated COMMENT 'Ordered again after 180 days without orders'
AS WHERE has(back => orders) FILTER (
           WHERE back.placed_at >= now() - INTERVAL '60 days'
             AND has(before => orders) FILTER (WHERE before.placed_at < back.placed_at)
             AND NOT has(before => orders) FILTER (
                   WHERE before.placed_at < back.placed_at
                     AND before.placed_at >= back.placed_at - INTERVAL '180 days'
                 )
         );
