-- Who waits for an order that is still more than a week away?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT waiting_long COMMENT 'An open order, expected in more than seven days'
AS WHERE has(orders) FILTER (
           WHERE orders.status IN ('open', 'shipped')
             AND orders.expected_at >= now() + INTERVAL '7 days'
         );
