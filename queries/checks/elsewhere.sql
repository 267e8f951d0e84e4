-- Queries that must answer the same here and, printed as plain SQL, on DuckDB over `muster export --tables`.
-- elsewhere.py runs them; each is ordered, so that rows can be compared one by one.

SELECT customer_id, count(orders) FILTER (WHERE count(order_lines) FILTER (WHERE products.category = 'Sofas') >= 1) AS with_sofas
FROM profiles ORDER BY customer_id;

SELECT customer_id, max(o => orders, count(order_lines)) AS most_lines FROM profiles ORDER BY customer_id;

SELECT customer_id, has(carts) FILTER (WHERE NOT has(orders) FILTER (WHERE orders.placed_at > carts.updated_at)) AS left_behind
FROM profiles ORDER BY customer_id;

SELECT customer_id, has(a => orders) FILTER (WHERE has(b => orders) FILTER (
         WHERE b.placed_at > a.placed_at AND b.placed_at <= a.placed_at + INTERVAL '30 days' AND b.total > a.total)) AS more_within_a_month
FROM profiles ORDER BY customer_id;

SELECT order_id, count(o => orders) FILTER (WHERE o.placed_at < orders.placed_at) AS before FROM orders ORDER BY order_id;

SELECT customer_id, first(orders.total) AS first_total, last(orders.total) AS last_total,
       nth(orders.order_id, 2) AS second, nth(orders.order_id, -2) AS last_but_one
FROM profiles ORDER BY customer_id;

SELECT customer_id, median(orders.total) AS middle, stddev(orders.total) AS deviation FROM profiles ORDER BY customer_id;

SELECT customer_id, every(orders.total > 100) AS always_large FROM profiles ORDER BY customer_id;

SELECT customer_id, sum(l => latest(orders, 2), l.total) AS last_two,
       count(o => earliest(orders, 1, has(order_lines) FILTER (WHERE products.category = 'Sofas'))) AS ever_a_sofa
FROM profiles ORDER BY customer_id;

SELECT order_id, sum(o => latest(orders, 1, o.placed_at < orders.placed_at), o.total) AS the_one_before FROM orders ORDER BY order_id;

SELECT customer_id, has_sequence(order_lines, products.category = 'Sofas', products.category = 'Cushions',
         within => INTERVAL '90 days') AS sofa_then_cushions
FROM profiles ORDER BY customer_id;

SELECT customer_id, last(order_lines.product_id) AS newest, median(order_lines.quantity) AS middle
FROM profiles ORDER BY customer_id;

SELECT country, count(*) AS profiles, avg(sum(orders.total)) AS spent, sum(count(orders)) AS orders
FROM profiles GROUP BY country ORDER BY country;

-- Rows of two branches beside one another, of which one is asked for its order.
SELECT order_id, count(cart_lines.quantity) FILTER (WHERE cart_lines.product_id <> orders.channel) AS pieces,
       first(cart_lines.quantity) FILTER (WHERE cart_lines.product_id <> orders.channel) AS first_pieces
FROM orders WHERE placed_at >= '2025-03-01' ORDER BY order_id;
