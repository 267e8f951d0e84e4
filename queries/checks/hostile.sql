-- Statements that nobody should get away with, and what must become of each.
--
-- A record is a line that says what must happen, and the statement below it up to the next blank line. A line with # names
-- a group. ⟨1000×text⟩ stands for the text written a thousand times. What can happen:
--   a kind of error of the language (syntax, too large, unknown name, ambiguous, level, position, literal, not allowed,
--   not yet): it is refused before anything runs
--   engine: the engine refuses it
--   time, memory, rows, bytes: it runs into that limit
--   stopped: it runs into one of them, whichever comes first
--   answers: it is harmless and is answered
-- Of the columns profiles.born (personal) and profiles.income (sensitive) nobody may learn a value by any of them.
-- `crates/query/tests/it/hostile.rs` runs all of them; hostile.py runs them through `muster sql` and watches the process.

-- # files

-- unknown name
SELECT * FROM 'customers.parquet'

-- unknown name
SELECT * FROM "customers.csv"

-- unknown name
SELECT * FROM '/etc/passwd'

-- unknown name
SELECT * FROM "/etc/passwd"

-- unknown name
SELECT * FROM "file:///etc/passwd"

-- unknown name
SELECT * FROM "s3://bucket/key.parquet"

-- unknown name
SELECT * FROM "http://127.0.0.1/x.csv"

-- unknown name
SELECT * FROM `/etc/passwd`

-- unknown name
SELECT * FROM '../data/state.db'

-- not allowed
SELECT * FROM read_csv('/etc/passwd')

-- not allowed
SELECT * FROM read_csv_auto('/etc/passwd')

-- not allowed
SELECT * FROM read_parquet('data/blocks/*.parquet')

-- not allowed
SELECT * FROM read_json('/etc/passwd')

-- not allowed
SELECT * FROM read_text('/etc/passwd')

-- not allowed
SELECT * FROM read_blob('/etc/passwd')

-- not allowed
SELECT * FROM parquet_metadata('data/blocks/a.parquet')

-- not allowed
SELECT * FROM parquet_scan('data/blocks/a.parquet')

-- not allowed
SELECT * FROM glob('/etc/*')

-- not allowed
SELECT * FROM sqlite_scan('data/state.db', 'segments')

-- not allowed
SELECT * FROM TABLE(read_csv('/etc/passwd'))

-- not allowed
SELECT p.id FROM profiles AS p, LATERAL read_csv('/etc/passwd') AS f

-- unknown name
SELECT read_text('/etc/passwd') AS x FROM profiles

-- unknown name
SELECT pg_read_file('/etc/passwd') AS x FROM profiles

-- unknown name
SELECT load_file('/etc/passwd') AS x FROM profiles

-- unknown name
SELECT file('/etc/passwd') AS x FROM profiles

-- unknown name
SELECT getenv('HOME') AS x FROM profiles

-- unknown name
SELECT current_setting('datafusion.catalog.location') AS x FROM profiles

-- unknown name
SELECT id FROM profiles WHERE id IN (SELECT * FROM '/etc/passwd')

-- unknown name
WITH f AS (SELECT * FROM '/etc/passwd') SELECT * FROM f

-- syntax
SELECT * FROM profiles INTO OUTFILE '/tmp/x'

-- not allowed
SELECT id INTO copied FROM profiles

-- syntax
SELECT * FROM profiles FORMAT

-- # engine

-- not allowed
CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'

-- not allowed
CREATE EXTERNAL TABLE t (x TEXT) STORED AS CSV LOCATION '/etc/passwd'

-- not allowed
CREATE TABLE t (x INT)

-- not allowed
CREATE TABLE t AS SELECT * FROM profiles

-- not allowed
CREATE TEMPORARY TABLE t AS SELECT * FROM profiles

-- not allowed
CREATE VIEW v AS SELECT * FROM profiles

-- not allowed
CREATE MATERIALIZED VIEW v AS SELECT * FROM profiles

-- not allowed
CREATE VIEW public.v AS SELECT * FROM profiles

-- not allowed
CREATE SCHEMA s

-- not allowed
CREATE DATABASE d

-- not allowed
CREATE FUNCTION f(BIGINT) RETURNS BIGINT RETURN $1

-- not allowed
CREATE MACRO f(x) AS x

-- not allowed
CREATE INDEX i ON profiles (id)

-- not allowed
CREATE USER u

-- not allowed
CREATE ROLE r

-- not allowed
CREATE TRIGGER t BEFORE INSERT ON profiles EXECUTE FUNCTION f()

-- not allowed
CREATE EXTENSION e

-- not allowed
CREATE SERVER s FOREIGN DATA WRAPPER w

-- not allowed
CREATE SECRET (TYPE s3)

-- not allowed
DROP TABLE profiles

-- not allowed
DROP VIEW v

-- not allowed
DROP SCHEMA public CASCADE

-- not allowed
DROP DATABASE d

-- not allowed
DROP FUNCTION f

-- not allowed
ALTER TABLE profiles ADD COLUMN x INT

-- not allowed
ALTER SESSION SET x = 1

-- not allowed
SET datafusion.execution.batch_size = 1

-- not allowed
SET memory_limit = '1TB'

-- not allowed
SET TIME ZONE 'UTC'

-- not allowed
SET ROLE admin

-- not allowed
SET TRANSACTION READ WRITE

-- not allowed
RESET ALL

-- not allowed
PRAGMA database_list

-- not allowed
ATTACH 'data/state.db' AS s

-- not allowed
DETACH s

-- not allowed
INSTALL httpfs

-- not allowed
LOAD httpfs

-- not allowed
USE other

-- not allowed
ANALYZE profiles

-- not allowed
VACUUM

-- not allowed
EXPLAIN SELECT 1

-- not allowed
EXPLAIN ANALYZE SELECT 1

-- not allowed
EXPLAIN VERBOSE SELECT 1

-- not allowed
PREPARE p AS SELECT 1

-- not allowed
EXECUTE p

-- not allowed
DEALLOCATE p

-- not allowed
CALL f()

-- not allowed
CACHE TABLE profiles

-- not allowed
KILL 1

-- not allowed
GRANT ALL ON profiles TO u

-- not allowed
REVOKE ALL ON profiles FROM u

-- not allowed
BEGIN

-- not allowed
START TRANSACTION

-- not allowed
COMMIT

-- not allowed
ROLLBACK

-- syntax
SAVEPOINT s

-- syntax
SHOW ALL

-- syntax
SHOW VARIABLES LIKE '%'

-- syntax
SHOW FUNCTIONS

-- syntax
SHOW CREATE TABLE profiles

-- unknown name
SELECT * FROM information_schema.tables

-- unknown name
SELECT * FROM information_schema.df_settings

-- unknown name
SELECT * FROM pg_catalog.pg_class

-- unknown name
SELECT * FROM sqlite_master

-- unknown name
SELECT * FROM duckdb_settings

-- unknown name
SELECT * FROM muster.public.profiles

-- unknown name
SELECT * FROM public.profiles

-- unknown name
SELECT version() AS v FROM profiles

-- syntax
SELECT current_user() AS v FROM profiles

-- unknown name
SELECT arrow_typeof(id) AS v FROM profiles

-- unknown name
SELECT arrow_cast(id, 'Binary') AS v FROM profiles

-- unknown name
SELECT pg_sleep(10) AS v FROM profiles

-- unknown name
SELECT sleep(10) AS v FROM profiles

-- # changes

-- not allowed
INSERT INTO profiles VALUES ('x')

-- not allowed
INSERT INTO profiles SELECT * FROM profiles

-- not allowed
INSERT OVERWRITE DIRECTORY '/tmp/x' SELECT * FROM profiles

-- not allowed
UPDATE profiles SET country = 'NL'

-- not allowed
DELETE FROM profiles

-- not allowed
TRUNCATE TABLE profiles

-- not allowed
MERGE INTO profiles USING orders ON TRUE WHEN MATCHED THEN DELETE

-- not allowed
REPLACE INTO profiles VALUES ('x')

-- not allowed
COPY profiles TO '/tmp/x.csv'

-- not allowed
COPY profiles FROM '/etc/passwd'

-- not allowed
COPY (SELECT * FROM profiles) TO '/tmp/x.csv' STORED AS CSV

-- not allowed
COPY profiles TO PROGRAM 'sh'

-- not allowed
EXPORT DATABASE '/tmp/x'

-- not allowed
IMPORT DATABASE '/tmp/x'

-- not allowed
LOCK TABLE profiles

-- not allowed
SELECT id FROM profiles FOR UPDATE

-- not allowed
SELECT id FROM profiles FOR SHARE

-- not allowed
WITH x AS (INSERT INTO profiles VALUES ('x') RETURNING id) SELECT id FROM x

-- not allowed
WITH x AS (DELETE FROM profiles RETURNING id) SELECT id FROM x

-- not allowed
WITH x AS (UPDATE profiles SET id = 'x') SELECT id FROM x

-- not allowed
SELECT id FROM (DELETE FROM profiles) AS x

-- syntax
UNLOAD (SELECT 1) TO 's3://bucket/'

-- # several statements

-- not allowed
SELECT 1 AS x; SELECT 2 AS x

-- not allowed
SELECT 1 AS x; DROP TABLE profiles

-- not allowed
SELECT 1 AS x;; DELETE FROM profiles

-- not allowed
SELECT 1 AS x; -- ;
DELETE FROM profiles

-- not allowed
SELECT ';' AS x; SELECT 1 AS y

-- not allowed
SELECT 1 AS x /* ; */ ; SELECT 2 AS x

-- not allowed
; SELECT 1 AS x ; SELECT 2 AS x

-- answers
SELECT ';' AS x

-- answers
SELECT 1 AS ";"

-- answers
SELECT 1 AS x ; ;

-- syntax
SELECT 1 AS x SELECT 2 AS y

-- syntax
SELECT 1 AS x GO SELECT 2 AS y

-- not allowed
SELECT 1 AS x \; DELETE FROM profiles

-- syntax
SELECT 1 AS x；DELETE FROM profiles

-- # comments

-- syntax
SELECT 1 AS x /* SELECT 2

-- syntax
SELECT 1 AS x */ DELETE FROM profiles

-- syntax
SELECT 1 AS x /* /* */ DELETE FROM profiles

-- answers
SELECT 1 AS x /* ; DELETE FROM profiles */

-- answers
SELECT 1 AS x -- ; DELETE FROM profiles

-- answers
SELECT/**/1/**/AS/**/x

-- not allowed
SELECT 1 AS x /*! ; DELETE FROM profiles */

-- not allowed
SELECT /*+ SET_VAR(max_execution_time = 0) */ id FROM profiles

-- not allowed
SELECT --+ hint
id FROM profiles

-- syntax
SELECT 1 AS x # DELETE FROM profiles

-- answers
SELECT 'a' /* ' */ AS x

-- answers
SELECT '/*' AS x, '*/' AS y

-- answers
SELECT '--' AS x, 1 AS y

-- syntax
SEL/**/ECT 1

-- syntax
DEL/**/ETE FROM profiles

-- not allowed
/* SELECT */ DELETE FROM profiles

-- not allowed
-- SELECT
DELETE FROM profiles

-- # quotes

-- syntax
SELECT ‘x’ AS y

-- syntax
SELECT “id” FROM profiles

-- syntax
SELECT id FROM profiles WHERE id = ’x’

-- syntax
SELECT ´x´ AS y

-- syntax
SELECT «id» FROM profiles

-- syntax
SELECT 'x AS y

-- syntax
SELECT "id FROM profiles

-- not allowed
SELECT "a""""b".id FROM profiles AS "a""""b"

-- answers
SELECT '''' AS x, '''''' AS y, 'a''''b' AS z

-- answers
SELECT 'a\'' , random() AS y -- ' AS x

-- answers
SELECT '\'' UNION SELECT income FROM profiles -- ' AS x

-- literal
SELECT id LIKE 'a' ESCAPE '\'' , random() --' AS x FROM profiles

-- not allowed
SELECT EXTRACT('\'' , random() --' FROM placed_at) AS x FROM orders

-- not allowed
SELECT 1 AS "\"" , random() AS ""y"

-- not allowed
SELECT id FROM profiles AS "\"" , random() --"

-- not allowed
SELECT $$DELETE FROM profiles$$ AS x FROM profiles

-- not allowed
SELECT $a$x$a$ AS x FROM profiles

-- not allowed
SELECT E'\'' AS x FROM profiles

-- not allowed
SELECT U&'\0027' AS x FROM profiles

-- not allowed
SELECT N'x' AS x FROM profiles

-- not allowed
SELECT X'27' AS x FROM profiles

-- not allowed
SELECT b'x' AS x FROM profiles

-- not allowed
SELECT q'[x]' AS x FROM profiles

-- not allowed
SELECT _utf8'x' AS x FROM profiles

-- syntax
SELECT 'a' 'b' 'c AS x FROM profiles

-- # letters

-- unknown name
SELECT id FROM рrofiles

-- unknown name
SELECT іd FROM profiles

-- unknown name
SELECT income FROM profiIes

-- unknown name
SELECT ｉd FROM profiles

-- syntax
ＳＥＬＥＣＴ id FROM profiles

-- syntax
SELECT id ＦＲＯＭ profiles ＷＨＥＲＥ TRUE

-- unknown name
SELECT ıncome FROM profiles

-- unknown name
SELECT ﬁrst(orders.total) AS x FROM profiles

-- syntax
SELECT id​ FROM profiles

-- unknown name
SELECT "Income" FROM profiles

-- answers
SELECT 'рrofiles' AS x

-- answers
SELECT '‮' AS x

-- not allowed
ＤＥＬＥＴＥ; DELETE FROM profiles

-- syntax
DЕLETE FROM profiles

-- # hidden

-- unknown name
SELECT __row FROM profiles

-- unknown name
SELECT profiles.__row FROM profiles

-- unknown name
SELECT "__row" FROM profiles

-- unknown name
SELECT __time FROM orders

-- unknown name
SELECT __parent, __profile FROM orders

-- unknown name
SELECT __segment_x FROM profiles

-- not allowed
SELECT 1 AS x FROM profiles AS __row

-- not allowed
WITH __row AS (SELECT 1 AS x) SELECT x FROM __row

-- not allowed
WITH profiles AS (SELECT 1 AS x) SELECT x FROM profiles

-- # modifiers

-- not allowed
SELECT id FROM profiles TABLESAMPLE BERNOULLI (10)

-- not allowed
SELECT id FROM profiles TABLESAMPLE (10 ROWS)

-- syntax
SELECT id FROM profiles FOR SYSTEM_TIME AS OF '2020-01-01'

-- syntax
SELECT id FROM profiles VERSION AS OF 1

-- not allowed
SELECT id FROM profiles WITH (NOLOCK)

-- syntax
SELECT id FROM profiles USE INDEX (i)

-- not allowed
SELECT TOP 3 id FROM profiles

-- not allowed
SELECT id FROM profiles SETTINGS max_threads = 64

-- not allowed
SELECT id FROM profiles FORMAT CSV

-- not allowed
SELECT id FROM profiles FETCH FIRST 1 ROWS WITH TIES

-- literal
SELECT id FROM profiles LIMIT (SELECT max(children) FROM profiles)

-- literal
SELECT id FROM profiles LIMIT 1e9

-- literal
SELECT id FROM profiles LIMIT -1

-- literal
SELECT id FROM profiles LIMIT 99999999999999999999

-- not allowed
SELECT id FROM profiles LIMIT 3 BY country

-- not allowed
FROM profiles SELECT id

-- not allowed
SELECT country FROM profiles GROUP BY ALL

-- not allowed
SELECT country FROM profiles GROUP BY country WITH ROLLUP

-- not allowed
SELECT id FROM profiles CONNECT BY PRIOR id = id

-- not allowed
SELECT id FROM profiles LATERAL VIEW explode(x) t AS y

-- not allowed
SELECT id FROM profiles |> WHERE TRUE

-- not allowed
SELECT $1 AS x FROM profiles

-- not allowed
SELECT ? AS x FROM profiles

-- not allowed
SELECT :x AS x FROM profiles

-- # chance

-- not allowed
SELECT random() AS x FROM profiles

-- not allowed
SELECT RANDOM() AS x FROM profiles

-- not allowed
SELECT "random"() AS x FROM profiles

-- not allowed
SELECT uuid() AS x FROM profiles

-- not allowed
SELECT localtimestamp AS x FROM profiles

-- not allowed
SELECT current_time AS x FROM profiles

-- unknown name
SELECT public.random() AS x FROM profiles

-- unknown name
SELECT muster.public.abs(1) AS x FROM profiles

-- # growth

-- unknown name
SELECT repeat('x', 1000000000) AS x FROM profiles

-- unknown name
SELECT lpad('x', 1000000000) AS x FROM profiles

-- unknown name
SELECT rpad(id, 1000000000, 'x') AS x FROM profiles

-- unknown name
SELECT space(1000000000) AS x FROM profiles

-- unknown name
SELECT array_repeat(1, 1000000000) AS x FROM profiles

-- unknown name
SELECT array_resize(array[1], 1000000000) AS x FROM profiles

-- unknown name
SELECT range(1, 1000000000) AS x FROM profiles

-- unknown name
SELECT generate_series(1, 1000000000) AS x FROM profiles

-- not allowed
SELECT * FROM range(1000000000)

-- not allowed
SELECT * FROM generate_series(1, 1000000000) AS s(n)

-- unknown name
SELECT unnest(range(1000000000)) AS x FROM profiles

-- unknown name
SELECT gen_series(1, 9) AS x FROM profiles

-- answers
SELECT octet_length('⟨60000×x⟩') AS x FROM profiles LIMIT 1

-- too large
SELECT octet_length('⟨70000×x⟩') AS x FROM profiles LIMIT 1

-- stopped
SELECT octet_length(concat(⟨3000×id, ⟩id)) AS x FROM profiles CROSS JOIN orders CROSS JOIN lines

-- stopped
WITH a AS (SELECT '⟨20000×x⟩' AS x FROM profiles), b AS (SELECT concat(⟨500×x, ⟩x) AS x FROM a), c AS (SELECT concat(⟨500×x, ⟩x) AS x FROM b), d AS (SELECT concat(⟨500×x, ⟩x) AS x FROM c) SELECT max(octet_length(x)) AS n FROM d

-- stopped
WITH a AS (SELECT '⟨20000×x⟩' AS x), b AS (SELECT concat(⟨500×x, ⟩x) AS x FROM a), c AS (SELECT concat(⟨500×x, ⟩x) AS x FROM b), d AS (SELECT concat(⟨500×x, ⟩x) AS x FROM c) SELECT octet_length(x) AS n FROM d

-- stopped
WITH a AS (SELECT '⟨1000×x⟩' AS x FROM profiles), b AS (SELECT replace(x, 'x', x) AS x FROM a), c AS (SELECT replace(x, 'x', x) AS x FROM b) SELECT max(octet_length(x)) AS n FROM c

-- stopped
WITH a AS (SELECT '⟨1000×x⟩' AS x FROM profiles), b AS (SELECT regexp_replace(x, '.', x, 'g') AS x FROM a), c AS (SELECT regexp_replace(x, '.', x, 'g') AS x FROM b) SELECT max(octet_length(x)) AS n FROM c

-- stopped
WITH a AS (SELECT '⟨20000×x⟩' AS x FROM profiles), b AS (SELECT x || x || x || x || x || x || x || x AS x FROM a), c AS (SELECT x || x || x || x || x || x || x || x AS x FROM b), d AS (SELECT x || x || x || x || x || x || x || x AS x FROM c), e AS (SELECT x || x || x || x || x || x || x || x AS x FROM d) SELECT max(octet_length(x)) AS n FROM e

-- stopped
WITH a AS (SELECT '⟨20000×x⟩' AS x), b AS (SELECT x || x || x || x || x || x || x || x AS x FROM a), c AS (SELECT x || x || x || x || x || x || x || x AS x FROM b), d AS (SELECT x || x || x || x || x || x || x || x AS x FROM c), e AS (SELECT x || x || x || x || x || x || x || x AS x FROM d), f AS (SELECT x || x || x || x || x || x || x || x AS x FROM e), g AS (SELECT x || x || x || x || x || x || x || x AS x FROM f) SELECT octet_length(x) AS n FROM g

-- stopped
WITH a AS (SELECT array[⟨1000×1, ⟩1] AS x FROM profiles), b AS (SELECT array_concat(⟨100×x, ⟩x) AS x FROM a), c AS (SELECT array_concat(⟨100×x, ⟩x) AS x FROM b) SELECT max(array_length(x)) AS n FROM c

-- stopped
WITH a AS (SELECT array[⟨1000×1, ⟩1] AS x FROM profiles), b AS (SELECT array[⟨100×x, ⟩x] AS x FROM a), c AS (SELECT array[⟨100×x, ⟩x] AS x FROM b) SELECT max(array_length(x)) AS n FROM c

-- stopped
WITH a AS (SELECT array[⟨1000×id, ⟩id] AS x FROM profiles) SELECT max(octet_length(array_to_string(x, '⟨20000×x⟩'))) AS n FROM a

-- stopped
SELECT ⟨500×'⟨100×x⟩' || id AS a@, ⟩id FROM profiles CROSS JOIN orders

-- stopped
WITH a AS (SELECT '⟨20000×x⟩' AS x, id FROM profiles) SELECT ⟨2000×x AS a@, ⟩id FROM a

-- stopped
WITH a AS (SELECT concat('⟨20000×x⟩', id) AS x, id FROM profiles) SELECT ⟨2000×upper(x) AS a@, ⟩id FROM a

-- stopped
SELECT string_agg(a.id, '⟨1000×x⟩') AS x FROM profiles a CROSS JOIN profiles b

-- stopped
SELECT array_agg(a.id || b.id) AS x FROM profiles a CROSS JOIN profiles b

-- position
SELECT string_agg(id, ',') OVER (ORDER BY id) AS x FROM profiles

-- position
SELECT array_agg(id) OVER (ORDER BY id) AS x FROM profiles

-- stopped
SELECT max(levenshtein(a.x, b.x)) AS n FROM (SELECT concat('⟨10000×x⟩', id) AS x FROM profiles) AS a CROSS JOIN (SELECT concat('⟨10000×y⟩', id) AS x FROM profiles) AS b

-- stopped
WITH a AS (SELECT encode('⟨20000×x⟩', 'hex') AS x FROM profiles), b AS (SELECT encode(x, 'hex') AS x FROM a), c AS (SELECT encode(x, 'hex') AS x FROM b), d AS (SELECT encode(x, 'hex') AS x FROM c), e AS (SELECT encode(x, 'hex') AS x FROM d), f AS (SELECT encode(x, 'hex') AS x FROM e) SELECT max(octet_length(x)) AS n FROM f

-- # depth

-- too large
SELECT ⟨10000×(⟩1⟨10000×)⟩ AS x

-- too large
SELECT ⟨201×(⟩1⟨201×)⟩ AS x

-- too large
⟨10000×(⟩SELECT 1 AS x⟨10000×)⟩

-- too large
SELECT ⟨10000×NOT ⟩TRUE AS x

-- too large
SELECT ⟨2000×- ⟩1 AS x

-- too large
SELECT ⟨10000×1+⟩1 AS x

-- too large
SELECT id FROM profiles WHERE ⟨2000×TRUE OR ⟩TRUE

-- too large
SELECT ⟨300×CASE WHEN TRUE THEN ⟩1⟨300× END⟩ AS x

-- too large
SELECT ⟨300×abs(⟩1⟨300×)⟩ AS x

-- too large
⟨500×SELECT id FROM profiles UNION ALL ⟩SELECT id FROM profiles

-- too large
⟨300×SELECT * FROM (⟩SELECT id FROM profiles⟨300×) AS x⟩

-- too large
SELECT id FROM profiles WHERE ⟨300×EXISTS (SELECT 1 FROM profiles WHERE ⟩TRUE⟨300×)⟩

-- too large
SELECT ⟨300×[⟩1⟨300×]⟩ AS x

-- too large
SELECT CAST(NULL AS ⟨300×ARRAY<⟩INT⟨300×>⟩) AS x

-- too large
SELECT 1 AS x -- ⟨70000×x⟩

-- too large
SELECT id FROM profiles WHERE id IN (⟨20000×'a', ⟩'a')

-- too large
⟨300×WITH x AS (⟩SELECT 1 AS y⟨300×) SELECT y FROM x⟩

-- unknown name
SELECT ⟨60000×x⟩ FROM profiles

-- too large
⟨60000×(⟩

-- too large
⟨30000×$⟩

-- too large
SELECT ⟨60×a[b.⟩x FROM profiles

-- too large
SELECT ⟨199×a.b[⟩x FROM profiles

-- answers
SELECT ⟨30×(⟩1⟨30×)⟩ AS x

-- answers
SELECT ⟨40×1+⟩1 AS x

-- answers
SELECT count(*) AS n FROM profiles WHERE id IN (⟨1000×'a', ⟩'c0001')

-- ambiguous
SELECT id FROM profiles AS p⟨200×, profiles AS p@⟩

-- # recursion

-- not allowed
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r

-- not allowed
WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n FROM r) SELECT count(*) AS n FROM r

-- not allowed
SELECT * FROM (WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r) SELECT n FROM r) AS x

-- unknown name
WITH a AS (SELECT * FROM b), b AS (SELECT * FROM a) SELECT * FROM a

-- unknown name
WITH a AS (SELECT x FROM a) SELECT x FROM a

-- # many rows

-- stopped
SELECT count(*) AS n FROM profiles a, profiles b, profiles c WHERE a.children + b.children = c.children - 1

-- stopped
SELECT sum(a.children * b.children % 7 + c.children) AS s FROM profiles a CROSS JOIN profiles b CROSS JOIN profiles c

-- stopped
SELECT a.id FROM profiles a JOIN profiles b ON a.children < b.children JOIN profiles c ON c.children < 0 - b.children

-- stopped
SELECT count(*) AS n FROM profiles a JOIN profiles b ON a.country = b.country JOIN profiles c ON b.country = c.country

-- stopped
SELECT max(CASE WHEN a.id < b.id THEN c.id END) AS x FROM profiles a, profiles b, profiles c

-- stopped
SELECT a.id FROM profiles a CROSS JOIN profiles b

-- stopped
SELECT a.id FROM profiles a, profiles b, profiles c

-- stopped
SELECT a.id AS x FROM profiles a CROSS JOIN profiles b UNION ALL SELECT a.id FROM profiles a CROSS JOIN profiles b

-- stopped
SELECT concat(a.id, '⟨2000×x⟩') AS x FROM profiles a CROSS JOIN orders b

-- stopped
SELECT a.id, b.id AS other FROM profiles a CROSS JOIN profiles b ORDER BY b.id, a.id

-- stopped
SELECT DISTINCT a.id || b.id AS x FROM profiles a CROSS JOIN profiles b

-- stopped
SELECT a.id || b.id AS x, count(*) AS n FROM profiles a CROSS JOIN profiles b GROUP BY 1 ORDER BY 2 LIMIT 1

-- stopped
SELECT count(DISTINCT a.id || b.id) AS n FROM profiles a CROSS JOIN profiles b

-- stopped
SELECT row_number() OVER (ORDER BY a.id || b.id) AS n FROM profiles a CROSS JOIN profiles b

-- stopped
SELECT a.id FROM profiles a CROSS JOIN profiles b INTERSECT SELECT c.id || d.id FROM profiles c CROSS JOIN profiles d

-- stopped
SELECT a.x FROM (SELECT a.id || b.id AS x FROM profiles a CROSS JOIN profiles b) AS a JOIN (SELECT c.id || d.id AS x FROM profiles c CROSS JOIN profiles d) AS b ON a.x = b.x

-- stopped
SELECT median(a.children * b.children + 0.5) AS m FROM profiles a CROSS JOIN profiles b CROSS JOIN orders c

-- stopped
SELECT sum(a.children) OVER (ORDER BY a.children ROWS BETWEEN 100000 PRECEDING AND 100000 FOLLOWING) AS s FROM profiles a CROSS JOIN profiles b

-- stopped
SELECT count(*) AS n FROM profiles a⟨40×, profiles b@⟩

-- stopped
SELECT count(*) AS n FROM profiles a⟨12× JOIN profiles b@ ON TRUE⟩

-- engine
SELECT count(*) AS n FROM profiles GROUP BY CUBE (id, since, children, score, country, id || 'a', id || 'b', id || 'c', id || 'd', id || 'e', id || 'f', id || 'g') ORDER BY 1 LIMIT 1

-- engine
SELECT country FROM profiles GROUP BY CUBE (⟨40×id || '@', ⟩country)

-- stopped
SELECT count(*) AS n FROM profiles CROSS JOIN (VALUES ⟨2000×(1), ⟩(1)) AS v(x) CROSS JOIN profiles q WHERE profiles.children * q.children = v.x - 2

-- answers
SELECT count(*) AS n FROM profiles a CROSS JOIN orders b

-- answers
SELECT id FROM profiles ORDER BY id LIMIT 1

-- # patterns

-- not allowed
SELECT id FROM profiles WHERE regexp_like(id, id)

-- not allowed
SELECT id FROM profiles WHERE id ~ concat('(a|b){', children, '}')

-- not allowed
SELECT id FROM profiles WHERE id !~* country

-- not allowed
SELECT id FROM profiles WHERE id SIMILAR TO country

-- not allowed
SELECT regexp_replace(id, country, 'x') AS x FROM profiles

-- not allowed
SELECT regexp_count(id, lower(country)) AS x FROM profiles

-- not allowed
SELECT regexp_match(id, p.country) AS x FROM profiles AS p

-- not allowed
SELECT regexp_instr(id, 'a' || country) AS x FROM profiles

-- engine
SELECT id FROM profiles WHERE id ~ '((a{1000}){1000}){1000}'

-- engine
SELECT id FROM profiles WHERE regexp_like(id, '(x{1000}){1000}')

-- engine
SELECT id FROM profiles WHERE regexp_like(id, '(')

-- engine
SELECT id FROM profiles WHERE regexp_like(id, '⟨5000×(⟩⟨5000×)⟩')

-- answers
SELECT count(*) AS n FROM profiles WHERE id ~ '^(a+)+$'

-- answers
SELECT count(*) AS n FROM profiles WHERE id ~ '(.*)*(.*)*(.*)*(.*)*x$'

-- answers
SELECT count(*) AS n FROM profiles WHERE regexp_like('⟨20000×a⟩', '^(a|aa)+$')

-- answers
SELECT count(*) AS n FROM profiles WHERE '⟨20000×a⟩' LIKE '⟨500×%a⟩%b'

-- engine
SELECT id FROM profiles WHERE regexp_like(id, '(?<=a)b')

-- engine
SELECT id FROM profiles WHERE id ~ '(a)\1'

-- # numbers

-- answers
SELECT CAST('x' AS INT) AS x, 1 / 0 AS y FROM profiles LIMIT 1

-- answers
SELECT 99999999999999999999999999999999999999 AS x FROM profiles LIMIT 1

-- engine
SELECT ⟨2000×9⟩ AS x FROM profiles LIMIT 1

-- answers
SELECT power(10, 308) * 10 AS x FROM profiles LIMIT 1

-- engine
SELECT factorial(100) AS x FROM profiles LIMIT 1

-- literal
SELECT DATE '99999-01-01' AS x FROM profiles

-- literal
SELECT id FROM profiles WHERE now() - INTERVAL '999999999 years' > since

-- literal
SELECT INTERVAL '⟨1000×9⟩ days' AS x FROM profiles

-- literal
SELECT TIMESTAMP '2025-02-30 00:00:00' AS x FROM profiles

-- answers
SELECT to_char(since, '⟨50×%c⟩') AS x FROM profiles LIMIT 1

-- engine
SELECT date_trunc('x', since) AS x FROM profiles

-- # masked

-- answers
SELECT id, born, income FROM profiles ORDER BY id LIMIT 3

-- answers
SELECT * FROM profiles ORDER BY id LIMIT 3

-- answers
SELECT count(*) AS n FROM profiles WHERE income > 31000

-- answers
SELECT count(*) AS n FROM profiles WHERE income IS NULL

-- answers
SELECT count(*) AS n FROM profiles WHERE NOT (income > 31000)

-- answers
SELECT count(income) AS n, count(born) AS m FROM profiles

-- answers
SELECT min(income) AS a, max(income) AS b, sum(income) AS c, avg(income) AS d, median(income) AS e FROM profiles

-- answers
SELECT max(CASE WHEN income > 31000 THEN 'yes' ELSE 'no' END) AS x FROM profiles

-- answers
SELECT CASE born WHEN DATE '1961-07-01' THEN 1 ELSE 2 END AS x FROM profiles ORDER BY id LIMIT 3

-- answers
SELECT income, count(*) AS n FROM profiles GROUP BY income ORDER BY 1

-- answers
SELECT count(*) AS n FROM profiles GROUP BY born HAVING max(income) > 0 ORDER BY 1

-- answers
SELECT id FROM profiles ORDER BY income DESC, id LIMIT 3

-- answers
SELECT id FROM profiles ORDER BY born NULLS FIRST, id DESC LIMIT 3

-- answers
SELECT id, rank() OVER (ORDER BY income, id) AS r FROM profiles ORDER BY id LIMIT 3

-- answers
SELECT id FROM profiles QUALIFY row_number() OVER (PARTITION BY income ORDER BY id) = 1 ORDER BY id

-- answers
SELECT count(*) AS n FROM profiles WHERE CAST(born AS TEXT) LIKE '1961%'

-- answers
SELECT count(*) AS n FROM profiles WHERE CAST(income AS TEXT) ~ '^3'

-- answers
SELECT count(*) AS n FROM profiles WHERE starts_with(CAST(income AS TEXT), '31')

-- answers
SELECT sum(CAST(concat('no number: ', born) AS INT)) AS x FROM profiles

-- answers
SELECT count(CAST(income AS INT)) AS x FROM profiles

-- answers
SELECT sum(1 / (income - 31415)) AS x FROM profiles

-- answers
SELECT sum(CAST(factorial(CAST(income AS BIGINT)) AS DOUBLE)) AS x FROM profiles

-- answers
SELECT count(*) AS n FROM profiles WHERE income IN (31415.92, 27182.81)

-- answers
SELECT count(*) AS n FROM profiles WHERE born BETWEEN DATE '1961-01-01' AND DATE '1961-12-31'

-- answers
SELECT count(*) AS n FROM profiles a JOIN profiles b ON a.born = b.born

-- answers
SELECT count(*) AS n FROM profiles WHERE born IN (SELECT born FROM profiles)

-- answers
SELECT count(*) AS n FROM profiles WHERE EXISTS (SELECT 1 FROM profiles p WHERE p.income > 0 AND p.id = profiles.id)

-- answers
SELECT (SELECT max(income) FROM profiles) AS x FROM profiles LIMIT 1

-- answers
SELECT count(*) AS n FROM orders WHERE profiles.income > 0

-- answers
SELECT order_id FROM orders ORDER BY profiles.born, order_id LIMIT 3

-- answers
SELECT id, count(orders) FILTER (WHERE orders.total < profiles.income) AS n FROM profiles ORDER BY id LIMIT 3

-- answers
SELECT id, sum(orders.total * profiles.income) AS n FROM profiles ORDER BY id LIMIT 3

-- answers
SELECT sum(age(born)) AS x, sum(days_to_anniversary(born)) AS y FROM profiles

-- answers
SELECT string_agg(CAST(born AS TEXT), ',') AS x FROM profiles

-- answers
SELECT array_agg(income) AS x FROM profiles WHERE id < 'c0003'

-- answers
WITH p AS (SELECT id, income AS i FROM profiles) SELECT count(*) AS n FROM p WHERE i > 0

-- answers
SELECT count(*) AS n FROM (SELECT income FROM profiles UNION SELECT income FROM profiles) AS x

-- answers
SELECT income FROM profiles EXCEPT SELECT 31415.92

-- answers
SELECT coalesce(income, 0) AS x, nullif(born, DATE '1961-07-01') AS y FROM profiles ORDER BY id LIMIT 3

-- answers
SELECT greatest(income, 1) AS x, reverse(CAST(born AS TEXT)) AS y FROM profiles ORDER BY id LIMIT 3

-- answers
SELECT lag(income) OVER (ORDER BY id) AS x FROM profiles ORDER BY id LIMIT 3

-- not allowed
SELECT count(*) AS n FROM profiles WHERE (born, income) = (DATE '1961-07-01', 31415.92)

-- answers
SELECT count(*) AS n FROM profiles WHERE income IS DISTINCT FROM NULL

-- answers
SELECT approx_distinct(income) AS n, approx_median(income) AS m FROM profiles

-- engine
SELECT CASE WHEN income THEN 1 END AS x FROM profiles

-- engine
SELECT substr(id, income) AS x FROM profiles

-- engine
SELECT id + born AS x FROM profiles

-- unknown name
SELECT incone FROM profiles

-- unknown name
SELECT count(*) AS n FROM profiles WHERE incomes > 1

-- ambiguous
SELECT income FROM profiles a JOIN profiles b ON a.id = b.id
