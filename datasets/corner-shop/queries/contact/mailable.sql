-- Who may be written to by e-mail, and has an address?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT mailable COMMENT 'Agreed to e-mail, and has an address'
AS WHERE email_consent
     AND email IS NOT NULL;
