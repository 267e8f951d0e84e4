-- Who sends back more than a third of their orders?
--
-- Only customers with at least three orders, so that one bad day does not count.
-- Result: profiles.

CREATE OR REPLACE SEGMENT frequent_returners COMMENT 'Three orders or more, over a third of them sent back'
AS WHERE count(orders) >= 3
     AND count(orders) FILTER (WHERE orders.status = 'returned') * 3 > count(orders);
