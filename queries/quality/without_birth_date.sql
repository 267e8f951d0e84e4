-- Of which buyers do we not know the birth date?
--
-- The placeholder of 1900 is no birth date.
-- Result: profiles.

CREATE OR REPLACE SEGMENT without_birth_date COMMENT 'Buyers without a birth date'
AS WHERE birth_date IS NULL
     AND segments.buyers;
