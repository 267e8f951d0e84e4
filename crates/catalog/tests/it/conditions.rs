//! `where`: what is no conjunction of simple conditions is refused at its place in the file.

use crate::world::check_where;

#[test]
fn what_is_not_simple_is_refused_where_it_stands() {
    check_where(
        r#""a > 0 OR b > 0""#,
        "muster.toml line 5, column 16: in `where` of [tables.orders]: only AND joins conditions, not OR",
    );
    check_where(
        r#""a > b""#,
        "muster.toml line 5, column 14: in `where` of [tables.orders]: expected a number or a 'text', found `b`",
    );
    check_where(
        r#""a""#,
        "muster.toml line 5, column 11: in `where` of [tables.orders]: expected =, <>, <, <=, >, >=, IS NULL, IN or LIKE, found the end",
    );
    check_where(
        r#""""#,
        "muster.toml line 5, column 10: in `where` of [tables.orders]: expected a column, found the end",
    );
    check_where(
        r#""a > 0 AND""#,
        "muster.toml line 5, column 19: in `where` of [tables.orders]: expected a column, found the end",
    );
    check_where(
        r#""a > 0 b""#,
        "muster.toml line 5, column 16: in `where` of [tables.orders]: expected AND or the end, found `b`",
    );
    check_where(
        r#""a IS 3""#,
        "muster.toml line 5, column 15: in `where` of [tables.orders]: expected NULL, found `3`",
    );
    check_where(
        r#""a NOT 3""#,
        "muster.toml line 5, column 16: in `where` of [tables.orders]: expected IN or LIKE, found `3`",
    );
    check_where(r#""a IN 3""#, "muster.toml line 5, column 15: in `where` of [tables.orders]: expected `(`, found `3`");
    check_where(
        r#""a IN (1""#,
        "muster.toml line 5, column 17: in `where` of [tables.orders]: expected `,` or `)`, found the end",
    );
    check_where(
        r#""a IN (1, b)""#,
        "muster.toml line 5, column 19: in `where` of [tables.orders]: expected a number or a 'text', found `b`",
    );
    check_where(
        r#""a LIKE 3""#,
        "muster.toml line 5, column 17: in `where` of [tables.orders]: expected a 'pattern', found `3`",
    );
    check_where(r#""a = 'x""#, "muster.toml line 5, column 14: in `where` of [tables.orders]: no closing '");
    check_where(
        r#""a = 1e9""#,
        "muster.toml line 5, column 14: in `where` of [tables.orders]: `1e9` is no number; expected digits, as -12 or 1.50",
    );
    check_where(
        r#""a = 1 ; b""#,
        "muster.toml line 5, column 16: in `where` of [tables.orders]: expected AND or the end, found `;`",
    );
    check_where(
        r#""(a = 1)""#,
        "muster.toml line 5, column 10: in `where` of [tables.orders]: expected a column, found `(`",
    );
    check_where(r#""a ~ 1""#, "muster.toml line 5, column 12: in `where` of [tables.orders]: unexpected `~`");
    check_where(
        r#""upper(a) = 1""#,
        "muster.toml line 5, column 15: in `where` of [tables.orders]: expected =, <>, <, <=, >, >=, IS NULL, IN or LIKE, found `(`",
    );
    check_where("3", "muster.toml line 5, column 1: `where` in [tables.orders] must be a text in quotes");
}

#[test]
fn places_count_past_quotes_escapes_and_lines() {
    check_where(
        r#""\"odd name\" > 0 OR b > 0""#,
        "muster.toml line 5, column 27: in `where` of [tables.orders]: only AND joins conditions, not OR",
    );
    check_where(
        r#"'"odd name" > 0 OR b > 0'"#,
        "muster.toml line 5, column 25: in `where` of [tables.orders]: only AND joins conditions, not OR",
    );
    check_where(
        r#""""
a > 0
OR b > 0""""#,
        "muster.toml line 7, column 1: in `where` of [tables.orders]: only AND joins conditions, not OR",
    );
    check_where(
        r#""é > 0 OR b > 0""#,
        "muster.toml line 5, column 16: in `where` of [tables.orders]: only AND joins conditions, not OR",
    );
}
