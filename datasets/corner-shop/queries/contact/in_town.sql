-- Who lives in the town of their store?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT in_town COMMENT 'Lives in the town of the home store'
AS WHERE city = home_site.city;
