-- Whose middle order is 400 or more, of at least ten?
--
-- The median: one large order changes nothing.
-- Result: profiles.

CREATE OR REPLACE SEGMENT steady_spenders COMMENT 'Ten orders or more, the middle one at least 400'
AS WHERE count(orders) >= 10
     AND median(orders.total) >= 400;
