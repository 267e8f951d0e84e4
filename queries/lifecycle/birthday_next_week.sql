-- Whose birthday is in the next seven days?
--
-- From tomorrow on. Born on 29 February, one has the 28th in other years.
-- Result: profiles.

CREATE OR REPLACE SEGMENT birthday_next_week COMMENT 'Birthday in one to seven days'
AS WHERE days_to_anniversary(birth_date) BETWEEN 1 AND 7;
