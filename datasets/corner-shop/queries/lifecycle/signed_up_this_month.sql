-- Who signed up in this calendar month?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT signed_up_this_month COMMENT 'Signed up in this calendar month'
AS WHERE created_at >= date_trunc('month', now());
