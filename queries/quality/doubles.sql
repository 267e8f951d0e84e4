-- Which accounts share an e-mail address with another?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT doubles COMMENT 'Another account has the same e-mail address'
AS WHERE is_double(email);
