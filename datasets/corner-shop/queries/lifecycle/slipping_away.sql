-- Which regular customers have been silent for twice as long as they usually are?
--
-- Of whoever has ordered at least four times. The usual gap is the time from the first order to the last,
-- shared out over the gaps between; days are calendar days.
-- Result: profiles.

CREATE OR REPLACE SEGMENT slipping_away COMMENT 'Silent for twice their usual gap'
AS WHERE count(orders) >= 4
     AND days_between(max(orders.placed_at), now()) * (count(orders) - 1)
         > 2 * days_between(min(orders.placed_at), max(orders.placed_at));
