//! `[tables.NAME]`: sources, text formats, keys.

use crate::world::{check, check_orders};

#[test]
fn an_unknown_key_is_refused_with_the_nearest_spelling() {
    check_orders(
        r#"delimeter = ";""#,
        r#"muster.toml line 5, column 1: unknown key `delimeter` in [tables.orders]
  hint: did you mean `delimiter`?"#,
    );
    check_orders(
        r#"filter = "x > 0""#,
        r#"muster.toml line 5, column 1: unknown key `filter` in [tables.orders]
  hint: known keys: source, sources, key, parent, on, time, updated_at, created_at, deleted, lookup, purchase, where, one_row_per_key, missing_parent, mode, replace, allow_empty, delimiter, blanks, header, names, quote, encoding, damaged, short_rows, stray_quotes, unnamed, decimal, thousands, null, error_budget, columns"#,
    );
}

#[test]
fn a_table_needs_a_source_and_a_place_in_the_tree() {
    check(
        r#"[tables.orders]
parent = "profiles"
on = "customer"
"#,
        "muster.toml line 1, column 9: `source` is missing in [tables.orders]",
    );
    check(
        r#"[tables.orders]
source = ""
parent = "profiles"
on = "customer"
"#,
        "muster.toml line 2, column 1: `source` in [tables.orders] must be a text in quotes that is not empty",
    );
    check(
        r#"[tables.orders]
source = "orders.csv"
key = "order_id"
"#,
        "muster.toml line 1, column 9: [tables.orders] has neither `parent` (a history table) nor `lookup` (a lookup); only [tables.profiles] is the root",
    );
    check(
        r#"[tables.orders]
source = "orders.csv"
parent = "profiles"
"#,
        "muster.toml line 1, column 9: `on` is missing in [tables.orders]",
    );
    check(
        r#"[tables.orders]
source = ["a.csv", "b.csv"]
parent = "profiles"
on = "customer"
"#,
        "muster.toml line 2, column 1: `source` in [tables.orders] must be a text in quotes that is not empty",
    );
    check_orders(
        r#"key = "order_id"
lookup = { order = "profiles.last_order" }
"#,
        "muster.toml line 6, column 1: [tables.orders] cannot be both a history (`parent`) and a lookup (`lookup`)",
    );
    check(
        r#"[tables.profiles]
source = "c.csv"
key = "id"
parent = "profiles"
on = "id"
"#,
        "muster.toml line 1, column 9: [tables.profiles] is the root: it has neither `parent` nor `lookup`",
    );
}

#[test]
fn a_name_that_no_query_could_write_is_refused() {
    check(
        r#"[tables.Orders]
source = "orders.csv"
parent = "profiles"
on = "customer"
"#,
        r#"muster.toml line 1, column 9: "Orders" is no table name; expected small letters, digits and _, a letter first"#,
    );
    check(
        r#"[tables."order lines"]
source = "orders.csv"
parent = "profiles"
on = "customer"
"#,
        r#"muster.toml line 1, column 9: "order lines" is no table name; expected small letters, digits and _, a letter first"#,
    );
    check(
        r#"[tables."web.visits"]
source = "orders.csv"
parent = "profiles"
on = "customer"
"#,
        r#"muster.toml line 1, column 9: "web.visits" is no table name; expected small letters, digits and _, a letter first"#,
    );
    check(
        r#"[tables.1st]
source = "orders.csv"
parent = "profiles"
on = "customer"
"#,
        r#"muster.toml line 1, column 9: "1st" is no table name; expected small letters, digits and _, a letter first"#,
    );
    check(
        r#"[tables.decisions]
source = "orders.csv"
parent = "profiles"
on = "customer"
"#,
        r#"muster.toml line 1, column 9: "decisions" is a name of muster's own; choose another"#,
    );
}

#[test]
fn a_key_must_be_there_and_have_as_many_parts_as_what_refers_to_it() {
    check(
        r#"[tables.profiles]
source = "c.csv"
"#,
        "muster.toml line 1, column 9: `key` is missing in [tables.profiles]",
    );
    check(
        r#"[tables.profiles]
source = "c.csv"
key = 7
"#,
        "muster.toml line 3, column 1: `key` in [tables.profiles] must be a text in quotes that is not empty",
    );
    check(
        r#"[tables.profiles]
source = "c.csv"
key = ["shop", "shop"]
"#,
        "muster.toml line 3, column 1: `key` in [tables.profiles] must be a list of columns, each of them once",
    );
    check(
        r#"[tables.orders]
source = "orders.csv"
parent = "profiles"
on = ["shop", "customer"]
"#,
        "muster.toml line 4, column 1: `on` of [tables.orders] has 2 columns, and the key of `profiles` has 1: id",
    );
    check(
        r#"[tables.products]
source = "p.csv"
lookup = { products = "profiles.sku" }
"#,
        "muster.toml line 1, column 9: `key` is missing in [tables.products]",
    );
    check_orders("one_row_per_key = true", "muster.toml line 1, column 9: `key` is missing in [tables.orders]");
    check_orders(
        r#"updated_at = "changed_at""#,
        "muster.toml line 5, column 1: `updated_at` in [tables.orders] needs `key`: rows without one never change",
    );
}

#[test]
fn what_only_a_history_has_is_refused_elsewhere() {
    check(
        r#"[tables.profiles]
source = "c.csv"
key = "id"
on = "x"
time = "seen"
missing_parent = "hold"
"#,
        r#"muster.toml line 4, column 1: `on` in [tables.profiles] needs `parent`: only a history table has it
muster.toml line 5, column 1: `time` in [tables.profiles] needs `parent`: only a history table has it
muster.toml line 6, column 1: `missing_parent` in [tables.profiles] needs `parent`: only a history table has it"#,
    );
    check_orders(
        r#"created_at = "made_at""#,
        "muster.toml line 5, column 1: `created_at` in [tables.orders] is not supported yet; only in [tables.profiles]",
    );
    check_orders(
        r#"missing_parent = "creat""#,
        r#"muster.toml line 5, column 1: `missing_parent` in [tables.orders] is "creat"; expected one of hold, create, reject
  hint: did you mean "create"?"#,
    );
    check(
        r#"[tables.lines]
source = "lines.csv"
parent = "orders"
on = "order_id"
missing_parent = "create"
[tables.orders]
source = "orders.csv"
parent = "profiles"
on = "customer"
key = "order_id"
"#,
        r#"muster.toml line 5, column 1: missing_parent = "create" in [tables.lines] is not supported yet; only below profiles"#,
    );
}

#[test]
fn how_the_text_is_written_is_checked() {
    check_orders(
        "header = false",
        "muster.toml line 5, column 1: a file without header needs `names` in [tables.orders]",
    );
    check_orders(
        r#"names = ["a", "b"]"#,
        "muster.toml line 5, column 1: `names` in [tables.orders] needs header = false",
    );
    check_orders(r#"header = "no""#, "muster.toml line 5, column 1: `header` in [tables.orders] must be true or false");
    check_orders(
        r#"header = false
names = "customer"
"#,
        "muster.toml line 6, column 1: `names` in [tables.orders] must be a list of texts",
    );
    check_orders(
        r#"blanks = true
delimiter = ";"
"#,
        "muster.toml line 5, column 1: `blanks` and `delimiter` in [tables.orders] exclude each other",
    );
    check_orders(
        r#"delimiter = "||""#,
        "muster.toml line 5, column 1: `delimiter` in [tables.orders] must be a text of one character in quotes",
    );
    check_orders(
        r#"delimiter = "→""#,
        "muster.toml line 5, column 1: `delimiter` in [tables.orders] must be an ASCII character, no quote and no line end",
    );
    check_orders(
        r#"delimiter = '"'"#,
        "muster.toml line 5, column 1: `delimiter` in [tables.orders] must be an ASCII character, no quote and no line end",
    );
    check_orders(
        "null = [1, 2]",
        "muster.toml line 5, column 1: `null` in [tables.orders] must be a text or a list of texts",
    );
    check_orders(
        "error_budget = -1",
        "muster.toml line 5, column 1: `error_budget` in [tables.orders] must be a whole number, 0 or more",
    );
    check_orders(
        r#"error_budget = "1 %""#,
        "muster.toml line 5, column 1: `error_budget` in [tables.orders] must be a whole number, 0 or more",
    );
    check_orders(
        "one_row_per_key = 1",
        "muster.toml line 5, column 1: `one_row_per_key` in [tables.orders] must be true or false",
    );
}
