-- Who gets a delivery within two days, or should have had it?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT delivery_due COMMENT 'A delivery expected by the day after tomorrow'
AS WHERE has(orders) FILTER (
           WHERE orders.status IN ('open', 'shipped')
             AND orders.expected_at < now() + INTERVAL '2 days'
         );
