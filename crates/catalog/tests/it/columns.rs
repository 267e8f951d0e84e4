//! `[tables.NAME.columns]`: types, settings, roles and names of columns.

use crate::world::{check, check_columns, check_columns_picked, check_orders};

#[test]
fn an_unknown_key_is_refused_with_the_nearest_spelling() {
    check_columns(
        r#"email = { rol = "email" }"#,
        r#"muster.toml line 5, column 11: unknown key `rol` in [tables.profiles.columns.email]
  hint: did you mean `role`?"#,
    );
    check_columns(
        r#"email = { colour = "red" }"#,
        r#"muster.toml line 5, column 11: unknown key `colour` in [tables.profiles.columns.email]
  hint: known keys: from, optional, type, format, window, zone, unit, null, placeholder, true, false, separator, integral, decimal, thousands, currency, currency_from, percent, role, class, owner, pick"#,
    );
    check_columns(
        r#"email = "text""#,
        "muster.toml line 5, column 1: `email` in [tables.profiles.columns] must be a section: [tables.profiles.columns.email] or email = { … }",
    );
}

#[test]
fn a_type_that_is_none_is_refused_with_what_there_is() {
    check_columns(
        r#"income = { type = "money" }"#,
        "muster.toml line 5, column 12: unknown type `money`; expected id, text, int, decimal(p,s) with 1 <= p <= 38 and 0 <= s <= p, float, bool, date, timestamp or set",
    );
    check_columns(
        r#"income = { type = "decimal(40,2)" }"#,
        "muster.toml line 5, column 12: unknown type `decimal(40,2)`; expected id, text, int, decimal(p,s) with 1 <= p <= 38 and 0 <= s <= p, float, bool, date, timestamp or set",
    );
    check_columns(
        r#"income = { type = "decimal(4,5)" }"#,
        "muster.toml line 5, column 12: unknown type `decimal(4,5)`; expected id, text, int, decimal(p,s) with 1 <= p <= 38 and 0 <= s <= p, float, bool, date, timestamp or set",
    );
    check_columns(
        "income = { type = 3 }",
        "muster.toml line 5, column 12: `type` in [tables.profiles.columns.income] must be a text in quotes",
    );
}

#[test]
fn a_setting_that_the_type_never_reads_is_refused() {
    check_columns(
        r#"born = { type = "text", format = "%Y" }"#,
        r#"muster.toml line 5, column 25: `format` in [tables.profiles.columns.born] needs type = "date" or "timestamp""#,
    );
    check_columns(
        r#"born = { format = "%Y" }"#,
        r#"muster.toml line 5, column 10: `format` in [tables.profiles.columns.born] needs type = "date" or "timestamp""#,
    );
    check_columns(
        r#"born = { type = "date", zone = "Europe/Amsterdam" }"#,
        r#"muster.toml line 5, column 25: `zone` in [tables.profiles.columns.born] needs type = "timestamp""#,
    );
    check_columns(
        r#"vip = { type = "text", true = ["J"] }"#,
        r#"muster.toml line 5, column 24: `true` in [tables.profiles.columns.vip] needs type = "bool""#,
    );
    check_columns(
        r#"vip = { false = "N" }"#,
        r#"muster.toml line 5, column 9: `false` in [tables.profiles.columns.vip] needs type = "bool""#,
    );
    check_columns(
        r#"tags = { type = "text", separator = "," }"#,
        r#"muster.toml line 5, column 25: `separator` in [tables.profiles.columns.tags] needs type = "set""#,
    );
    check_columns(
        r#"tags = { type = "set", separator = ", " }"#,
        "muster.toml line 5, column 24: `separator` in [tables.profiles.columns.tags] must be a text of one character in quotes",
    );
    check_columns(
        r#"code = { type = "int", integral = true }"#,
        r#"muster.toml line 5, column 24: `integral` in [tables.profiles.columns.code] needs type = "id""#,
    );
    check_columns(
        r#"seen = { type = "timestamp", zone = "Mars" }"#,
        r#"muster.toml line 5, column 30: "Mars" is no IANA time zone; expected a name as Europe/Amsterdam"#,
    );
}

#[test]
fn a_type_that_cannot_be_read_is_one_problem() {
    check_columns(
        r#"born = { type = "dat", format = "%Y" }"#,
        "muster.toml line 5, column 10: unknown type `dat`; expected id, text, int, decimal(p,s) with 1 <= p <= 38 and 0 <= s <= p, float, bool, date, timestamp or set",
    );
}

#[test]
fn a_role_is_known_is_given_once_and_fits_its_type() {
    check_columns(
        r#"email = { role = "emial" }"#,
        r#"muster.toml line 5, column 11: unknown role "emial"; expected one of email, mobile, push_token, language, zone, birth_date, postcode, latitude, longitude, test, consent.email, consent.sms
  hint: did you mean "email"?"#,
    );
    check_columns(
        r#"email = { role = "consent." }"#,
        r#"muster.toml line 5, column 11: unknown role "consent."; expected one of email, mobile, push_token, language, zone, birth_date, postcode, latitude, longitude, test, consent.email, consent.sms"#,
    );
    check_columns(
        r#"a = { role = "email" }
b = { role = "email" }
"#,
        r#"muster.toml line 6, column 7: role = "email" in [tables.profiles.columns.b] is the role of `a` already"#,
    );
    check_columns(
        r#"agreed = { type = "text", role = "consent.email" }"#,
        r#"muster.toml line 5, column 27: role = "consent.email" in [tables.profiles.columns.agreed] needs type = "bool", not "text""#,
    );
    check_columns(
        r#"born = { type = "timestamp", role = "birth_date" }"#,
        r#"muster.toml line 5, column 30: role = "birth_date" in [tables.profiles.columns.born] needs type = "date", not "timestamp""#,
    );
    check_columns(
        r#"y = { type = "int", role = "latitude" }"#,
        r#"muster.toml line 5, column 21: role = "latitude" in [tables.profiles.columns.y] needs type = "float" or "decimal(p,s)", not "int""#,
    );
    check_columns(
        r#"code = { type = "int", role = "postcode" }"#,
        r#"muster.toml line 5, column 24: role = "postcode" in [tables.profiles.columns.code] needs type = "text" or "id", not "int""#,
    );
}

#[test]
fn a_pick_needs_one_row_per_key_and_the_other_way_round() {
    check_columns(
        r#"city = { pick = "last" }"#,
        "muster.toml line 5, column 10: `pick` in [tables.profiles.columns.city] needs one_row_per_key = true in [tables.profiles]",
    );
    check_columns_picked(
        r#"city = { type = "text" }
id = { type = "id" }
"#,
        r#"muster.toml line 6, column 1: [tables.profiles.columns.city] has no `pick`, and one_row_per_key keeps no column without
  hint: pick = "first", "last", "min", "max" or "sum" says which row of a key gives the value"#,
    );
    check_columns_picked(
        r#"city = { pick = "latest" }"#,
        r#"muster.toml line 6, column 10: `pick` in [tables.profiles.columns.city] is "latest"; expected one of first, last, min, max, sum
  hint: did you mean "last"?"#,
    );
    check_columns_picked(
        r#"spent = { type = "text", pick = "sum" }"#,
        r#"muster.toml line 6, column 26: pick = "sum" in [tables.profiles.columns.spent] needs type = "int", "decimal(p,s)" or "float""#,
    );
}

#[test]
fn what_the_table_is_built_on_has_a_type_that_can_bear_it() {
    check_columns(
        r#"id = { type = "int" }"#,
        r#"muster.toml line 5, column 8: `id` is the `key` of [tables.profiles], which needs type = "id" or "text", not "int""#,
    );
    check_orders(
        r#"[tables.orders.columns]
customer = { type = "int" }
"#,
        r#"muster.toml line 6, column 14: `customer` is the `on` of [tables.orders], which needs type = "id" or "text", not "int""#,
    );
    check_orders(
        r#"time = "placed_on"
[tables.orders.columns]
placed_on = { type = "date" }
"#,
        r#"muster.toml line 7, column 15: `placed_on` is the `time` of [tables.orders], which needs type = "timestamp", not "date""#,
    );
    check(
        r#"[tables.profiles]
source = "customers.csv"
key = "id"
created_at = "since"
updated_at = "seen"
[tables.profiles.columns]
since = { type = "date" }
seen = { type = "text" }
"#,
        r#"muster.toml line 7, column 11: `since` is the `created_at` of [tables.profiles], which needs type = "timestamp", not "date"
muster.toml line 8, column 10: `seen` is the `updated_at` of [tables.profiles], which needs type = "timestamp", not "text""#,
    );
    check(
        r#"[tables.products]
source = "p.csv"
key = "sku"
lookup = { products = "profiles.favourite" }
[tables.profiles]
source = "customers.csv"
key = "id"
[tables.profiles.columns]
favourite = { type = "decimal(12,2)" }
"#,
        r#"muster.toml line 9, column 15: `favourite` is the link `products` of [tables.profiles], which needs type = "id" or "text", not "decimal(12,2)""#,
    );
}

#[test]
fn a_name_that_means_something_else_already_is_refused() {
    check_columns(
        r#"__row = { type = "int" }"#,
        r#"muster.toml line 5, column 1: "__row" is no column name; names that begin with __ are muster's own"#,
    );
    check_columns(
        r#"Email = { type = "text" }
email = { type = "text" }
"#,
        "muster.toml line 6, column 1: the columns `Email` and `email` differ only by capitals, which no query sees",
    );
    check_columns(
        r#""" = { type = "text" }"#,
        r#"muster.toml line 5, column 1: [tables.profiles.columns.""] is a column without a name"#,
    );
    check_columns(
        r#"orders = { type = "int" }
[tables.orders]
source = "orders.csv"
parent = "profiles"
on = "customer"
"#,
        r#"muster.toml line 5, column 1: the column `orders` of [tables.profiles] has the name of a history table; give it another
  hint: number_of_orders = { from = "orders" } reads the same column of the file"#,
    );
    check_columns(
        r#""a.b" = { type = "money" }"#,
        "muster.toml line 5, column 11: unknown type `money`; expected id, text, int, decimal(p,s) with 1 <= p <= 38 and 0 <= s <= p, float, bool, date, timestamp or set",
    );
    check_columns(
        r#"a = { from = "" }"#,
        "muster.toml line 5, column 7: `from` in [tables.profiles.columns.a] must be a text in quotes that is not empty",
    );
}
