-- Who buys mostly when something is off?
--
-- At least three orders, half of them or more with a discount.
-- Result: profiles.

CREATE OR REPLACE SEGMENT bargain_hunters COMMENT 'Half of three orders or more had a discount'
AS WHERE count(orders) >= 3
     AND count(orders) FILTER (WHERE orders.discount > 0) * 2 >= count(orders);
