-- Who buys in a store as well as on the web?
--
-- The app counts as web.
-- Result: profiles.

CREATE OR REPLACE SEGMENT store_and_web COMMENT 'Bought in a store, and on the web or in the app'
AS WHERE has(orders) FILTER (WHERE orders.channel = 'store')
     AND has(orders) FILTER (WHERE orders.channel IN ('web', 'app'));
