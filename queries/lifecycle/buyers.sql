-- Who has ever bought and kept something?
--
-- An order counts unless it was cancelled or sent back.
-- Result: profiles.

CREATE OR REPLACE SEGMENT buyers COMMENT 'Bought at least once and kept it'
AS WHERE has(orders) FILTER (WHERE orders.status NOT IN ('cancelled', 'returned'));
