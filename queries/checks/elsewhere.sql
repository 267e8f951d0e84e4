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

SELECT customer_id, mode(orders.channel) AS usual, mode(order_lines.product_id) AS product,
       mode(orders.total) FILTER (WHERE orders.total > 50) AS total
FROM profiles ORDER BY customer_id;

SELECT country, mode(city) AS city, mode(mode(orders.channel)) AS usual FROM profiles GROUP BY country ORDER BY country;

SELECT customer_id, is_email(email) AS mails, is_email(mobile) AS other, is_email(replace(email, '.', '..')) AS broken
FROM profiles ORDER BY customer_id;

SELECT customer_id, is_double(lower(email)) AS again, is_first_of(lower(email)) AS first, is_double(household_id) AS shared,
       is_first_of(count(orders)) AS first_of_so_many
FROM profiles ORDER BY customer_id;

SELECT order_id, is_double(household_id) AS shared FROM orders ORDER BY order_id;

SELECT customer_id, sample(0.1, 'spring') AS tenth, sample(0.5, 'spring', household_id) AS half, sample(1, 'spring') AS everyone,
       bucket(10, 'spring') AS ten, bucket(1000003, 'spring') AS many, bucket(36028797018963968, 'é', city) AS most
FROM profiles ORDER BY customer_id;

SELECT order_id, bucket(100, 'spring') AS his, bucket(100, 'spring', order_id) AS its FROM orders ORDER BY order_id;

SELECT customer_id, count(orders) FILTER (WHERE orders.total > (SELECT avg(total) FROM orders)) AS large,
       count(order_lines) FILTER (WHERE order_lines.product_id NOT IN (SELECT product_id FROM products WHERE category = 'Sofas')) AS others,
       has(carts) FILTER (WHERE EXISTS (SELECT 1 FROM orders WHERE total > 5000)) AS in_good_times,
       sum(CASE WHEN orders.order_id IN (SELECT order_id FROM order_lines WHERE quantity > 1) THEN orders.total ELSE 0 END) AS several
FROM profiles ORDER BY customer_id;

SELECT buyers, lapsed, big_spenders, profiles FROM venn('buyers', 'lapsed', 'big_spenders') ORDER BY 1, 2, 3;

SELECT segment_a, segment_b, profiles FROM overlap('buyers', 'lapsed', 'big_spenders', 'open_carts') ORDER BY 1, 2;

SELECT "column", category, segment_profiles, base_profiles, segment_share, base_share, index, z, woe
FROM compare('lapsed', 'buyers', country, count(orders)) ORDER BY 1, 2;

SELECT customer_id, income IN (SELECT income FROM profiles WHERE income > 50000 OR income IS NULL) AS large,
       EXISTS (SELECT 1 FROM orders WHERE total > 5000) AS good_times
FROM profiles ORDER BY customer_id;

SELECT customer_id FROM profiles
WHERE income NOT IN (SELECT income FROM profiles WHERE income > 50000) OR (email IN (SELECT email FROM profiles WHERE country = 'BE')) IS NULL
ORDER BY customer_id;

-- Rows of two branches beside one another, of which one is asked for its order.
SELECT order_id, count(cart_lines.quantity) FILTER (WHERE cart_lines.product_id <> orders.channel) AS pieces,
       first(cart_lines.quantity) FILTER (WHERE cart_lines.product_id <> orders.channel) AS first_pieces
FROM orders WHERE placed_at >= '2025-03-01' ORDER BY order_id;
