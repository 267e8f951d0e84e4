-- Which gold customers are within 2,000 of platinum?
--
-- Platinum begins at 10,000 in two years; only delivered orders count for a tier.
-- Result: profiles.

CREATE OR REPLACE SEGMENT nearly_platinum COMMENT 'Gold, and 8,000 or more delivered in two years'
AS WHERE tier = 'gold'
     AND sum(orders.total) FILTER (
           WHERE orders.status = 'delivered'
             AND orders.placed_at >= now() - INTERVAL '730 days'
         ) >= 8000;
