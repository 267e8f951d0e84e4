-- Who says to like sofas and never bought one?
--
-- Result: profiles.

CREATE OR REPLACE SEGMENT dreaming_of_sofas COMMENT 'Interested in sofas, bought none'
AS WHERE array_has(interests, 'sofas')
     AND NOT has(order_lines) FILTER (WHERE products.category = 'Sofas');
