//! One reading tells everything that is wrong, from the top of the file to its end.

use crate::world::check_whole;

#[test]
fn several_problems_come_at_once_in_the_order_of_their_places() {
    check_whole(
        r#"[workspace]
name = "shop"
time_zone = "Europe/Amsterdm"

[channels.email]
kind = "smtp"
host = "127.0.0.1"

[tables.profiles]
source = "customers.csv"
key = "id"
languages = ["nl"]

[tables.profiles.columns]
income = { type = "money" }
email = { role = "e-mail" }

[tables.orders]
source = "orders.csv"
parent = "profile"
on = "customer_id"
where = "total > 0 OR status = 'paid'"
role = "yes"
"#,
        r#"muster.toml line 3, column 1: "Europe/Amsterdm" is no IANA time zone; expected a name as Europe/Amsterdam
  hint: did you mean "Europe/Amsterdam"?
muster.toml line 5, column 11: `from` is missing in [channels.email]
muster.toml line 12, column 1: unknown key `languages` in [tables.profiles]
  hint: known keys: source, sources, key, parent, on, time, updated_at, created_at, deleted, lookup, purchase, where, one_row_per_key, missing_parent, mode, replace, allow_empty, delimiter, blanks, header, names, quote, encoding, damaged, short_rows, stray_quotes, unnamed, decimal, thousands, null, error_budget, columns
muster.toml line 15, column 12: unknown type `money`; expected id, text, int, decimal(p,s) with 1 <= p <= 38 and 0 <= s <= p, float, bool, date, timestamp or set
muster.toml line 16, column 11: unknown role "e-mail"; expected one of email, mobile, push_token, language, zone, birth_date, postcode, latitude, longitude, test, consent.email, consent.sms
  hint: did you mean "email"?
muster.toml line 20, column 1: `parent` of [tables.orders] is "profile", and there is no such table
  hint: did you mean "profiles"?
muster.toml line 22, column 20: in `where` of [tables.orders]: only AND joins conditions, not OR
muster.toml line 23, column 1: `role` in [tables.orders] is not supported yet"#,
    );
}

#[test]
fn one_slip_is_one_problem() {
    check_whole(
        "[workspace]\nname = \"shop\"\n[tables.profiles]\nsource = 3\nkey = 4\n\
         [tables.orders]\nsource = \"o.csv\"\nparent = \"profiles\"\non = \"customer\"\n",
        "muster.toml line 4, column 1: `source` in [tables.profiles] must be a text in quotes that is not empty\n\
         muster.toml line 5, column 1: `key` in [tables.profiles] must be a text in quotes that is not empty",
    );
}
