-- Who is the one of each household to write to?
--
-- The account with the lowest number.
-- Result: profiles.

CREATE OR REPLACE SEGMENT one_per_household COMMENT 'The first account of each household'
AS WHERE is_first_of(household_id);
