-- Who can be reached by SMS and not by e-mail?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT only_by_text COMMENT 'SMS with consent, e-mail without'
AS WHERE sms_consent
     AND mobile IS NOT NULL
     AND NOT (coalesce(email_consent, FALSE) AND email IS NOT NULL);
