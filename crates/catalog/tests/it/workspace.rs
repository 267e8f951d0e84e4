//! `[workspace]`, the top of the file, and text that is no TOML.

use crate::world::{check, check_whole};

#[test]
fn text_that_is_no_toml_is_refused_at_its_place() {
    check("[workspace", "muster.toml line 1, column 11: unclosed table, expected `]`");
    check(
        r#"[tables.orders]
source = "a"
source = "b"
"#,
        "muster.toml line 3, column 1: duplicate key",
    );
    check("key = ", "muster.toml line 1, column 7: string values must be quoted, expected literal string");
    check(
        r#"[channels.email]
port = 12x
"#,
        "muster.toml line 2, column 8: string values must be quoted, expected literal string",
    );
}

#[test]
fn an_empty_file_says_what_a_workspace_needs() {
    check_whole(
        "",
        r#"muster.toml line 1, column 1: [workspace] is missing
muster.toml line 1, column 1: [tables.profiles] is missing; the root of a workspace is always called profiles"#,
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_spelling() {
    check(
        r#"[workspce]
name = "shop"
"#,
        r#"muster.toml line 1, column 2: unknown key `workspce` in the file
  hint: did you mean `workspace`?"#,
    );
    check(
        "colour = 1",
        r#"muster.toml line 1, column 1: unknown key `colour` in the file
  hint: known keys: workspace, tables, lists, channels, scores"#,
    );
    check(
        r#"[workspace]
name = "shop"
timezone = "Europe/Amsterdam"
"#,
        r#"muster.toml line 3, column 1: unknown key `timezone` in [workspace]
  hint: did you mean `time_zone`?"#,
    );
    check(
        r#"[workspace]
name = "shop"
logo = "x.png"
"#,
        r#"muster.toml line 3, column 1: unknown key `logo` in [workspace]
  hint: known keys: name, time_zone, currency, as_of"#,
    );
}

#[test]
fn the_head_of_a_workspace_is_checked() {
    check(
        r#"[workspace]
currency = "EUR"
"#,
        "muster.toml line 1, column 2: `name` is missing in [workspace]",
    );
    check(
        r#"[workspace]
name = ""
"#,
        "muster.toml line 2, column 1: `name` in [workspace] must be a text in quotes that is not empty",
    );
    check(
        r#"[workspace]
name = 3
"#,
        "muster.toml line 2, column 1: `name` in [workspace] must be a text in quotes that is not empty",
    );
    check(
        r#"[workspace]
name = "shop"
time_zone = "Europe/Amsterdm"
"#,
        r#"muster.toml line 3, column 1: "Europe/Amsterdm" is no IANA time zone; expected a name as Europe/Amsterdam
  hint: did you mean "Europe/Amsterdam"?"#,
    );
    check(
        r#"[workspace]
name = "shop"
time_zone = "CET+1"
"#,
        r#"muster.toml line 3, column 1: "CET+1" is no IANA time zone; expected a name as Europe/Amsterdam"#,
    );
    check(
        r#"[workspace]
name = "shop"
currency = "euro"
"#,
        r#"muster.toml line 3, column 1: "euro" is no currency; expected three capitals, as EUR"#,
    );
    check(
        r#"[workspace]
name = "shop"
as_of = "30-06-2025"
"#,
        r#"muster.toml line 3, column 1: "30-06-2025" is not an instant; expected YYYY-MM-DD, YYYY-MM-DDTHH:MM[:SS[.ffffff]], or the same with Z or an offset"#,
    );
    check(
        r#"[workspace]
name = "shop"
as_of = 2025-06-30
"#,
        "muster.toml line 3, column 1: `as_of` in [workspace] must be a text in quotes",
    );
}

#[test]
fn a_section_must_be_a_section() {
    check_whole(
        r#"workspace = "shop"
[tables.profiles]
source = "c.csv"
key = "id"
"#,
        "muster.toml line 1, column 1: `workspace` in the file must be a section: [workspace] or workspace = { … }",
    );
    check_whole(
        r#"tables = 3
[workspace]
name = "shop"
"#,
        r#"muster.toml line 1, column 1: `tables` in the file must be a section: [tables] or tables = { … }
muster.toml line 1, column 1: [tables.profiles] is missing; the root of a workspace is always called profiles"#,
    );
    check(
        r#"[tables]
orders = "orders.csv"
"#,
        "muster.toml line 2, column 1: `orders` in [tables] must be a section: [tables.orders] or orders = { … }",
    );
    check(
        r#"channels = ["email"]"#,
        "muster.toml line 1, column 1: `channels` in the file must be a section: [channels] or channels = { … }",
    );
}
