-- Who placed at least one order of 5,000 or more?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT one_large_order COMMENT 'An order of 5,000 or more'
AS WHERE max(orders.total) >= 5000;
