-- What does somebody usually order for?
--
-- The median: one large order changes little.
-- Result: an amount in the currency of the workspace, NULL without orders.

CREATE OR REPLACE VARIABLE usual_order COMMENT 'Median of the order totals'
AS median(orders.total);
