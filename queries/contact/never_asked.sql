-- Which buyers never said whether they want e-mail?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT never_asked COMMENT 'Buyers without an answer on e-mail'
AS WHERE email_consent IS NULL
     AND segments.buyers;
