-- Whose e-mail address can be none?
--
-- No @ or two of them, a blank, or a dot at the end.
-- Result: profiles.

CREATE OR REPLACE SEGMENT odd_addresses COMMENT 'An e-mail address that is none'
AS WHERE email NOT LIKE '%_@_%._%'
     OR email LIKE '%@%@%'
     OR email LIKE '% %'
     OR email LIKE '%.';
