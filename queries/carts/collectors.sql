-- Who left two carts or more, and ordered none?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT collectors COMMENT 'Two carts or more, none ordered'
AS WHERE count(carts) >= 2
     AND every(carts.status <> 'ordered');
