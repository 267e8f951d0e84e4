-- Who left a cart behind in the last week?
--
-- A cart that is open, untouched for an hour, and not older than seven days.
-- Result: profiles.

CREATE OR REPLACE SEGMENT open_carts COMMENT 'An open cart, untouched for an hour, of the last seven days'
AS WHERE has(carts) FILTER (
           WHERE carts.status = 'open'
             AND carts.updated_at < now() - INTERVAL '60 minutes'
             AND carts.updated_at >= now() - INTERVAL '7 days'
         );
