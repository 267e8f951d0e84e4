-- Who sent back one of their last three orders?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT recent_return COMMENT 'One of the last three orders was sent back'
AS WHERE has(recent => latest(orders, 3)) FILTER (WHERE recent.status = 'returned');
