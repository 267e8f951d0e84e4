//! Rows 20 to 31: numbers, dates, instants, no values.

use muster_ingest::Flag;

use super::{flagged, read};
use crate::world::column;

const NONE: [&str; 0] = [];

/// The values of the column `v` and what was rejected.
#[track_caller]
fn values(settings: &str, column_settings: &str, texts: &[&str]) -> (Vec<String>, Vec<String>) {
    let rows = texts.iter().enumerate().map(|(row, text)| format!("{row};{text}\n")).collect::<String>();
    let settings = format!("delimiter = \";\"\n{settings}\n[tables.profiles.columns]\nv = {{ {column_settings} }}\n");
    let (load, rejects) = read(&settings, format!("id;v\n{rows}"));
    let told = rejects.iter().map(|reject| reject.split_once(", v: ").map_or(reject.as_str(), |(_, told)| told));
    (column(&load, "v"), told.map(str::to_owned).collect())
}

const MONEY: &str = "type = \"decimal(12,2)\"";

#[test]
fn row_20_a_decimal_comma_is_read_where_it_is_declared_for_the_column_or_the_table() {
    let german = format!("{MONEY}, decimal = \",\", thousands = \".\"");
    assert_eq!(values("", &german, &["1.234,56", "-0,5", "1.234"]).0, ["1234.56", "-0.50", "1234.00"]);
    let (found, rejects) = values("decimal = \",\"", MONEY, &["1234,56", "1.234,56"]);
    assert_eq!(found, ["1234.56"]);
    assert_eq!(rejects, ["\"1.234,56\" is not a decimal number; expected a number like -1234,50"]);
    let (load, _) = read("delimiter = \";\"\ndecimal = \",\"\n", "id;v\n1;1,5\n2;2,25\n");
    assert_eq!(load.columns[1].column_type.to_string(), "decimal(18,2)", "also where the type is inferred");
}

#[test]
fn row_20_what_may_mean_two_numbers_is_rejected_with_both() {
    let (found, rejects) = values("", MONEY, &["1,234", "1234.5", "1.234,56"]);
    assert_eq!(found, ["1234.50"]);
    assert_eq!(
        rejects,
        [
            "\"1,234\" may mean 1.234 or 1234; declare `decimal` or `thousands`",
            "\"1.234,56\" is not a decimal number; expected digits with an optional sign and point, like -1234.50"
        ]
    );
    let (_, rejects) = values("decimal = \",\"", MONEY, &["1.234"]);
    assert_eq!(rejects, ["\"1.234\" may mean 1.234 or 1234; declare `decimal` or `thousands`"]);
    assert_eq!(values("thousands = \",\"", "type = \"int\"", &["1,234"]).0, ["1234"]);
}

#[test]
fn row_21_blanks_of_every_kind_and_the_swiss_sign_group_digits_where_they_are_declared() {
    let french =
        values("decimal = \",\"\nthousands = \" \"", MONEY, &["1 234,5", "1\u{a0}234", "12\u{202f}345\u{2009}678"]);
    assert_eq!(french.0, ["1234.50", "1234.00", "12345678.00"]);
    assert_eq!(values("thousands = \"'\"", MONEY, &["1'234.50", "1’234"]).0, ["1234.50", "1234.00"]);
}

#[test]
fn row_21_groups_that_nobody_declared_or_that_are_not_of_three_are_rejected() {
    assert_eq!(values("", MONEY, &["1 234", "1'234"]).0, NONE);
    assert_eq!(values("thousands = \"'\"", MONEY, &["12'34", "1'2345", "'123"]).0, NONE);
}

#[test]
fn row_22_signs_of_money_and_percent_are_read_where_the_column_allows_them() {
    let euros = format!("{MONEY}, currency = [\"€\", \"EUR\"]");
    assert_eq!(
        values("", &euros, &["€ 5", "5.50 €", "-€1", "7 EUR", "8"]).0,
        ["5.00", "5.50", "-1.00", "7.00", "8.00"]
    );
    assert_eq!(values("", "type = \"float\", percent = true", &["12.5 %", "3"]).0, ["12.5", "3.0"]);
}

#[test]
fn row_22_signs_of_money_and_percent_are_rejected_elsewhere() {
    let (found, rejects) = values("", MONEY, &["€5", "5 USD", "5%"]);
    assert_eq!(found, NONE);
    assert_eq!(rejects[0], "\"€5\" holds the currency sign €; `currency` of the column allows it");
    assert_eq!(rejects[1], "\"5 USD\" holds the currency sign USD; `currency` of the column allows it");
    let (_, rejects) = values("", &format!("{MONEY}, currency = \"€\""), &["$5"]);
    assert_eq!(rejects, ["\"$5\" holds the currency sign $; expected €"]);
}

#[test]
fn row_23_no_number_and_too_large_ones_are_rejected() {
    assert_eq!(values("", MONEY, &["1e309", "NaN", "inf", "1e3"]).0, NONE);
    assert_eq!(values("", "type = \"float\"", &["1e309", "NaN", "inf", "-Infinity"]).0, NONE);
}

#[test]
fn row_23_minus_zero_is_zero() {
    assert_eq!(values("", MONEY, &["-0", "-0.00"]).0, ["0.00", "0.00"]);
    assert_eq!(values("", "type = \"float\"", &["-0", "1e3"]).0, ["0.0", "1000.0"]);
}

#[test]
fn row_24_ids_keep_their_zeros_and_any_length() {
    let ids = ["007", "92233720368547758080", "12E5", "1-2"];
    assert_eq!(values("", "type = \"id\"", &ids).0, ids);
    let (load, _) = read("", "id,n\n007,9223372036854775808\n");
    assert_eq!(
        (column(&load, "id"), column(&load, "n")),
        (vec!["007".to_owned()], vec!["9223372036854775808".to_owned()])
    );
}

#[test]
fn row_24_an_id_that_a_spreadsheet_damaged_and_a_number_past_64_bits_are_rejected() {
    let (found, rejects) = values("", "type = \"id\"", &["1.23457E+12", "1,2E+12"]);
    assert_eq!(
        (found.len(), rejects[0].as_str()),
        (0, "\"1.23457E+12\" is a damaged id: a spreadsheet cut digits off; export the column as text")
    );
    assert_eq!(
        values("", "type = \"int\"", &["9223372036854775808"]).1,
        ["\"9223372036854775808\" is out of the range of int"]
    );
}

#[test]
fn row_25_money_is_never_rounded() {
    assert_eq!(values("", MONEY, &["2.555"]).1, ["\"2.555\" has more than 2 digits after the point"]);
    assert_eq!(values("", MONEY, &["12345678901.00"]).1, ["\"12345678901.00\" is out of the range of decimal(12,2)"]);
}

#[test]
fn row_25_money_is_exact() {
    assert_eq!(
        values("", MONEY, &["0.1", "0.20", "9999999999.99", "1.500"]).0,
        ["0.10", "0.20", "9999999999.99", "1.50"]
    );
}

const DAY: &str = "type = \"date\", format = \"%d/%m/%Y\"";

#[test]
fn row_26_dates_have_one_format() {
    assert_eq!(values("", DAY, &["03/04/2025", "31/12/2024"]).0, ["2025-04-03", "2024-12-31"]);
}

#[test]
fn row_26_dates_in_another_format_are_rejected_never_guessed() {
    let (found, rejects) = values("", DAY, &["2025-04-03", "04-03-2025", "12/31/2024"]);
    assert_eq!(found, NONE);
    assert_eq!(rejects[0], "\"2025-04-03\" is not a date; expected DD/MM/YYYY");
}

#[test]
fn row_27_two_digits_of_a_year_are_read_by_the_declared_window() {
    let day = "type = \"date\", format = \"%d.%m.%y\", window = 1930";
    assert_eq!(values("", day, &["01.01.30", "31.12.29", "01.01.00"]).0, ["1930-01-01", "2029-12-31", "2000-01-01"]);
    let unknown = "type = \"date\", placeholder = [\"0001-01-01\", \"1900-01-00\", \"9999-12-31\"]";
    assert_eq!(
        values("", unknown, &["0001-01-01", "1900-01-00", "9999-12-31", "1900-01-01"]).0,
        ["", "", "", "1900-01-01"]
    );
}

#[test]
fn row_27_years_that_nobody_means_are_rejected() {
    let (found, rejects) = values("", "type = \"date\"", &["0001-01-01", "9999-12-31", "1900-01-00", "25-01-01"]);
    assert_eq!(found, NONE);
    assert_eq!(
        rejects[1],
        "\"9999-12-31\" lies outside of 1800-01-01 to 2199-12-31; list it as `placeholder` if it stands for \"not known\""
    );
}

#[test]
fn row_28_days_that_do_not_exist_are_rejected() {
    assert_eq!(values("", "type = \"date\"", &["2025-02-30", "2025-02-29", "2100-02-29", "2025-04-31"]).0, NONE);
    assert_eq!(values("", DAY, &["30/02/2024", "29/02/2023"]).0, NONE);
}

#[test]
fn row_28_leap_days_that_exist_are_read() {
    assert_eq!(values("", "type = \"date\"", &["2024-02-29", "2000-02-29"]).0, ["2024-02-29", "2000-02-29"]);
}

#[test]
fn row_29_a_time_in_a_gap_moves_forward_and_of_a_doubled_one_the_first_counts_both_are_flagged() {
    let settings = "[tables.profiles.columns]\nseen = { type = \"timestamp\" }\n";
    let content =
        "id,seen\n1,2025-03-30 02:30:00\n2,2025-10-26 02:30:00\n3,2025-10-26 02:45:00\n4,2025-06-30 12:00:00\n";
    let (load, _) = read(settings, content);
    assert_eq!(column(&load, "seen")[..2], ["2025-03-30T01:30:00Z", "2025-10-26T00:30:00Z"]);
    assert_eq!((flagged(&load, Flag::Gap), flagged(&load, Flag::Fold)), (1, 2));
}

#[test]
fn row_29_a_time_with_an_offset_or_in_a_zone_without_changes_is_not_flagged() {
    let settings =
        "[tables.profiles.columns]\nseen = { type = \"timestamp\" }\nmade = { type = \"timestamp\", zone = \"UTC\" }\n";
    let (load, _) = read(settings, "id,seen,made\n1,2025-10-26 02:30:00+01:00,2025-10-26 02:30:00\n");
    assert_eq!(
        (column(&load, "seen")[0].as_str(), column(&load, "made")[0].as_str()),
        ("2025-10-26T01:30:00Z", "2025-10-26T02:30:00Z")
    );
    assert_eq!(load.report.flags, []);
}

/// Profiles with `created_at` in a unit.
fn since(unit: &str, texts: &[&str]) -> (Vec<String>, Vec<String>) {
    let settings =
        format!("created_at = \"v\"\n[tables.profiles.columns]\nv = {{ type = \"timestamp\", unit = \"{unit}\" }}\n");
    let rows = texts.iter().enumerate().map(|(row, text)| format!("{row},{text}\n")).collect::<String>();
    let (load, rejects) = read(&settings, format!("id,v\n{rows}"));
    (column(&load, "v"), rejects)
}

#[test]
fn row_30_a_number_of_the_declared_unit_is_an_instant() {
    assert_eq!(since("s", &["1751284800"]).0, ["2025-06-30T12:00:00Z"]);
    assert_eq!(since("ms", &["1751284800250"]).0, ["2025-06-30T12:00:00.250Z"]);
}

#[test]
fn row_30_an_event_before_1990_or_far_ahead_betrays_another_unit() {
    let (found, rejects) = since("s", &["1751284800000", "4102444800", "1751284800"]);
    assert_eq!((found.len(), rejects.len()), (1, 2));
    let (_, rejects) = since("ms", &["1751284800"]);
    assert_eq!(
        rejects,
        ["c.csv line 2, v: \"1751284800\" lies outside of 1990-01-01 to 2099-12-31; is the `unit` right?"]
    );
}

#[test]
fn row_30_where_the_workspace_says_what_time_it_is_an_event_a_day_later_is_rejected() {
    let content = "id,v\n1,1751284800\n2,1751371199\n3,1751371200\n";
    let text = "[workspace]\nname = \"shop\"\nas_of = \"2025-06-30T12:00:00\"\n[tables.profiles]\nsource = \"c.csv\"\nkey = \"id\"\n\
                created_at = \"v\"\n[tables.profiles.columns]\nv = { type = \"timestamp\", unit = \"s\" }\n";
    let (load, rejects) = crate::world::World::of(text).file("c.csv", content).load_watched("profiles");
    assert_eq!(column(&load.unwrap(), "id"), ["1", "2"]);
    assert!(rejects[0].to_string().contains("lies outside of 1990-01-01 to 2025-07-01"), "{}", rejects[0]);
}

#[test]
fn row_31_only_declared_texts_are_no_value() {
    let nulls = "null = [\"NULL\", \"\\\\N\", \"N/A\", \"-\"]";
    assert_eq!(values(nulls, "type = \"int\"", &["NULL", "\\N", " N/A ", "-", "", "7"]).0, ["", "", "", "", "", "7"]);
}

#[test]
fn row_31_undeclared_words_are_values_like_any_other() {
    assert_eq!(values("", "type = \"int\"", &["NULL", "\\N", "N/A", "-"]).0, NONE);
    let texts = ["NULL", "\\N", "N/A", "-", " "];
    assert_eq!(values("", "type = \"text\"", &texts).0, texts);
}
