-- Of whom do we know neither an e-mail address nor a mobile number?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT unreachable COMMENT 'Neither e-mail address nor mobile number'
AS WHERE email IS NULL
     AND mobile IS NULL;
