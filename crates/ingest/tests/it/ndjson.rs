//! NDJSON: one object a line; rows 58 to 65 of the list of bad inputs, as far as they concern files.

use muster_ingest::Error;

use crate::world::{World, assert_adds_up, column, gzip, lines, types};

const TABLE: &str = "[tables.profiles]\nsource = \"c.ndjson\"\nkey = \"id\"\n[tables.profiles.columns]\n";

#[track_caller]
fn check(columns: &str, content: impl AsRef<[u8]>, kept: &[&str], rejects: &[&str]) {
    let world = World::new(&format!("{TABLE}{columns}")).file("c.ndjson", content);
    let (load, heard) = world.load_watched("profiles");
    let load = load.unwrap_or_else(|error| panic!("{error}"));
    assert_adds_up(&load);
    assert_eq!(column(&load, "id"), kept);
    assert_eq!(lines(&heard), rejects);
}

#[test]
fn lines_become_rows_and_keys_columns() {
    let content = "{\"id\":\"007\",\"age\":41,\"tags\":[\"b\",\"a\"],\"paid\":1.50,\"on\":\"2025-06-30\",\"ok\":true}\r\n\
                   \n   \n\
                   {\"tags\":[],\"id\":8,\"late\":\"x\",\"age\":null}";
    let load = World::new(TABLE).file("c.ndjson", content).load("profiles");
    assert_adds_up(&load);
    assert_eq!(types(&load), ["id id", "age int", "tags set", "paid decimal(18,2)", "on date", "ok bool", "late text"]);
    assert_eq!(column(&load, "id"), ["007", "8"]);
    assert_eq!(column(&load, "age"), ["41", ""]);
    assert_eq!(column(&load, "tags"), ["[a, b]", "[]"]);
    assert_eq!(column(&load, "paid"), ["1.50", ""]);
    assert_eq!(column(&load, "ok"), ["true", ""]);
    assert_eq!(column(&load, "late"), ["", "x"]);
    assert_eq!(load.report.files[0].delimiter, None);
}

#[test]
fn a_mark_and_compression_change_nothing() {
    let tables = TABLE.replace("c.ndjson", "c.jsonl.gz");
    let content = gzip("\u{feff}{\"id\":\"1\"}\n{\"id\":\"2\"}".as_bytes());
    assert_eq!(column(&World::new(&tables).file("c.jsonl.gz", content).load("profiles"), "id"), ["1", "2"]);
}

#[test]
fn an_empty_file_has_no_rows() {
    for content in ["", "\n\n", "{}"] {
        let (load, _) = World::new(TABLE).file("c.ndjson", content).load_watched("profiles");
        assert_eq!(load.unwrap().report.rows, 0, "{content:?}");
    }
}

#[test]
fn row_58_what_is_not_json_is_rejected_with_line_and_byte() {
    check(
        "",
        "{\"id\":\"1\"}\n{\"id\":\"2\",}\n{\"id\":NaN}\n{\"id\":\"4\"} // x\n[\"5\"]\n{\"id\":\"6\"\n{\"id\":\"7\"}\n",
        &["1", "7"],
        &[
            "c.ndjson line 2: \"{\"id\":\"2\",}\" is not JSON; expected a key in double quotes at byte 11 of the line",
            "c.ndjson line 3: \"{\"id\":NaN}\" is not JSON; expected a value: text in double quotes, a number, true, false, null, a list or an object at byte 7 of the line",
            "c.ndjson line 4: \"{\"id\":\"4\"} // x\" is not JSON; expected nothing behind the value at byte 12 of the line",
            "c.ndjson line 5: \"[\"5\"]\" is no object; expected one a line, like {\"id\": 1}, at byte 1 of the line",
            "c.ndjson line 6: \"{\"id\":\"6\"\" is not JSON; expected `,` or `}` behind a value at byte 10 of the line",
        ],
    );
}

#[test]
fn row_58_a_document_of_json_is_no_ndjson() {
    let tables = TABLE.replace("c.ndjson", "c.ndjson.gz");
    let packed = World::new(&tables).file("c.ndjson.gz", gzip(b"[{\"id\":1}]")).failure("profiles").to_string();
    assert!(packed.starts_with("c.ndjson.gz: a JSON document is no source"), "{packed}");
    for content in ["[{\"id\":1}]", "[\n{\"id\":1}\n]", "{\n  \"id\": 1\n}"] {
        let message = World::new(TABLE).file("c.ndjson", content).failure("profiles").to_string();
        assert_eq!(
            message,
            "c.ndjson: a JSON document is no source\n  hint: write one object a line and name it .ndjson"
        );
    }
}

#[test]
fn row_59_a_key_that_stands_twice_is_rejected_wherever_it_stands() {
    check(
        "",
        "{\"id\":\"1\",\"x\":1,\"x\":1}\n{\"id\":\"2\",\"x\":1}\n",
        &["2"],
        &[
            "c.ndjson line 1: \"{\"id\":\"1\",\"x\":1,\"x\":1}\" has the key `x` twice, the second time at byte 17 of the line",
        ],
    );
}

#[test]
fn row_60_a_hundred_thousand_lists_in_one_another_are_rejected() {
    let deep = format!("{{\"id\":\"1\",\"x\":{}", "[".repeat(100_000));
    let start: String = deep.chars().take(200).collect();
    let message =
        format!("c.ndjson line 1: \"{start}…\" nests lists and objects more than 64 deep at byte 78 of the line");
    check("", format!("{deep}\n{{\"id\":\"2\",\"x\":[]}}\n"), &["2"], &[&message]);
}

#[test]
fn row_61_numbers_are_exact_or_rejected() {
    let columns = "paid = { type = \"decimal(38,2)\" }\nsize = { type = \"int\" }\nid = { type = \"id\" }\n";
    let content = "{\"id\":9007199254740993,\"paid\":123456789012345678901234567890123456.78,\"size\":9223372036854775807}\n\
                   {\"id\":12345678901234567890123,\"paid\":1.5E2,\"size\":1e3}\n\
                   {\"id\":3,\"paid\":1E400,\"size\":0}\n\
                   {\"id\":4,\"paid\":0.005,\"size\":0}\n\
                   {\"id\":5,\"paid\":0,\"size\":9223372036854775808}\n\
                   {\"id\":1.5e+20,\"paid\":0,\"size\":0}\n";
    let world = World::new(&format!("{TABLE}{columns}")).file("c.ndjson", content);
    let (load, heard) = world.load_watched("profiles");
    let load = load.unwrap();
    assert_eq!(column(&load, "id"), ["9007199254740993", "12345678901234567890123"]);
    assert_eq!(column(&load, "paid"), ["123456789012345678901234567890123456.78", "150.00"]);
    assert_eq!(column(&load, "size"), ["9223372036854775807", "1000"]);
    let kinds: Vec<(u64, String)> = heard.iter().map(|reject| (reject.line, reject.reason.kind())).collect();
    let expected = [(3, "not a decimal number"), (4, "too many decimals"), (5, "out of range"), (6, "damaged id")];
    assert_eq!(kinds, expected.map(|(line, kind)| (line, kind.to_owned())));
}

#[test]
fn row_61_how_texts_are_written_is_nothing_to_numbers() {
    let columns = "paid = { type = \"decimal(9,3)\", decimal = \",\", thousands = \".\" }\n";
    let content = "{\"id\":\"1\",\"paid\":1.234}\n{\"id\":\"2\",\"paid\":\"1.234,5\"}\n{\"id\":\"3\",\"paid\":null}\n";
    let load = World::new(&format!("{TABLE}{columns}")).file("c.ndjson", content).load("profiles");
    assert_eq!(column(&load, "paid"), ["1.234", "1234.500", ""]);
}

#[test]
fn row_62_half_characters_and_nul_are_rejected() {
    check(
        "",
        "{\"id\":\"1\",\"name\":\"\\ud83d\\ude00\"}\n{\"id\":\"2\",\"name\":\"\\ud83d\"}\n{\"id\":\"3\\u0000\",\"name\":\"\"}\n",
        &["1"],
        &[
            "c.ndjson line 2: \"{\"id\":\"2\",\"name\":\"\\ud83d\"}\" has half of a surrogate pair, which is no character, at byte 19 of the line",
            "c.ndjson line 3: \"{\"id\":\"3\\u0000\",\"name\":\"\"}\" has a NUL character at byte 9 of the line",
        ],
    );
}

#[test]
fn bytes_that_are_no_utf_8_are_rejected_never_replaced() {
    let content = [b"{\"id\":\"1\"}\n{\"id\":\"Ren".as_slice(), b"\xe9\"}\n"].concat();
    check("", content, &["1"], &["c.ndjson line 2: \"{\"id\":\"Ren\u{fffd}\"}\" is not UTF-8 at byte 11 of the line"]);
    let utf16: Vec<u8> = "{\"id\":\"1\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let message = World::new(TABLE).file("c.ndjson", utf16).failure("profiles").to_string();
    assert!(message.contains("JSON in UTF-16 is no source\n  hint: save the file as UTF-8"), "{message}");
}

#[test]
fn row_64_a_value_of_another_type_is_rejected_with_its_column() {
    let columns = "age = { type = \"int\" }\nname = { type = \"text\" }\ntags = { type = \"set\" }\n";
    check(
        columns,
        "{\"id\":\"1\",\"age\":\"old\",\"name\":\"\",\"tags\":null}\n\
         {\"id\":\"2\",\"age\":{\"years\":2},\"name\":\"x\"}\n\
         {\"id\":\"3\",\"age\":3,\"name\":[\"x\"]}\n\
         {\"id\":\"4\",\"age\":3,\"tags\":[\"x\",[]]}\n\
         {\"id\":true,\"age\":3}\n\
         {\"id\":null,\"age\":3}\n\
         {\"age\":3}\n\
         {\"id\":\"8\",\"age\":\"8\",\"name\":true,\"tags\":[\"x\",7,null]}\n",
        &["8"],
        &[
            "c.ndjson line 1, age: \"old\" is not a whole number; expected digits with an optional sign",
            "c.ndjson line 2, age: \"{\"years\":2}\" is an object; expected a whole number",
            "c.ndjson line 3, name: \"[\"x\"]\" is a list; expected text",
            "c.ndjson line 4, tags: \"[\"x\",[]]\" is a list of other things than texts and numbers; expected a set",
            "c.ndjson line 5, id: \"true\" is true or false; expected an id",
            "c.ndjson line 6, id: \"\" is no key; every row needs one",
            "c.ndjson line 7, id: \"\" is no key; every row needs one",
        ],
    );
}

#[test]
fn true_and_false_are_themselves_whatever_words_the_column_has() {
    let columns = "news = { type = \"bool\", true = [\"J\"] }\n";
    let content = "{\"id\":\"1\",\"news\":true}\n{\"id\":\"2\",\"news\":\"J\"}\n{\"id\":\"3\",\"news\":\"true\"}\n{\"id\":\"4\"}\n{\"id\":\"5\",\"news\":false}\n";
    let load = World::new(&format!("{TABLE}{columns}")).file("c.ndjson", content).load("profiles");
    assert_eq!(column(&load, "news"), ["true", "true", "false", "", "false"]);
}

#[test]
fn members_of_a_list_may_hold_the_separator_and_a_text_is_cut_at_it() {
    let columns = "tags = { type = \"set\" }\n";
    let content =
        "{\"id\":\"1\",\"tags\":[\"a;b\",\"a\"]}\n{\"id\":\"2\",\"tags\":\"a;b\"}\n{\"id\":\"3\",\"tags\":null}\n";
    let load = World::new(&format!("{TABLE}{columns}")).file("c.ndjson", content).load("profiles");
    assert_eq!(column(&load, "tags"), ["[a, a;b]", "[a, b]", ""]);
}

#[test]
fn a_column_of_objects_is_left_out_with_its_reason_unless_it_is_declared() {
    let content = "{\"id\":\"1\",\"address\":{\"city\":\"Utrecht\"}}\n{\"id\":\"2\"}\n";
    let load = World::new(TABLE).file("c.ndjson", content).load("profiles");
    assert_eq!(column(&load, "id"), ["1", "2"]);
    assert_eq!(load.report.ignored, [("address".to_owned(), "it holds objects".to_owned())]);
    check(
        "address = { type = \"text\" }\n",
        content,
        &["2"],
        &["c.ndjson line 1, address: \"{\"city\":\"Utrecht\"}\" is an object; expected text"],
    );
}

#[test]
fn a_key_that_no_line_has_is_a_missing_column_and_null_in_one_line_is_enough() {
    let tables = format!("{TABLE}email = {{ type = \"text\" }}\n");
    let message =
        World::new(&tables).file("c.ndjson", "{\"id\":\"1\",\"e_mail\":\"x\"}\n").failure("profiles").to_string();
    assert_eq!(message, "c.ndjson: no column `email`, which is declared\n  hint: did you mean `e_mail`?");
    let load = World::new(&tables).file("c.ndjson", "{\"id\":\"1\",\"email\":null}\n{\"id\":\"2\"}").load("profiles");
    assert_eq!(column(&load, "email"), ["", ""]);
}

#[test]
fn keys_that_differ_in_capitals_only_are_refused_by_name() {
    let error = World::new(TABLE)
        .file("c.ndjson", "{\"id\":\"1\",\"Name\":1}\n{\"id\":\"2\",\"name\":1}\n")
        .failure("profiles");
    assert!(error.to_string().contains("columns of the same name (capitals and blanks aside): Name, name"), "{error}");
}

#[test]
fn conditions_and_nulls_work_as_on_text() {
    let tables = "[tables.profiles]\nsource = \"c.ndjson\"\nkey = \"id\"\nnull = [\"N/A\"]\nwhere = \"paid > 0 AND ok = 'true'\"\n";
    let content = "{\"id\":\"1\",\"paid\":1,\"ok\":true,\"name\":\"N/A\"}\n{\"id\":\"2\",\"paid\":0,\"ok\":true}\n{\"id\":\"3\",\"paid\":1,\"ok\":false}\n{\"id\":\"4\",\"paid\":\"much\",\"ok\":true}\n";
    let (load, heard) = World::new(tables).file("c.ndjson", content).load_watched("profiles");
    let load = load.unwrap();
    assert_adds_up(&load);
    assert_eq!(column(&load, "name"), [""]);
    assert_eq!(load.report.filtered.iter().map(|part| part.rows).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(lines(&heard), ["c.ndjson line 4, paid: \"much\" is no number, but `where` asks for paid > 0"]);
}

#[test]
fn row_65_bad_lines_below_the_budget_stop_nothing_and_above_it_the_load() {
    let line =
        |row: usize| if row.is_multiple_of(10) { "{\"id\":\n".to_owned() } else { format!("{{\"id\":\"{row}\"}}\n") };
    let content: String = (1..=500).map(line).collect();
    let load = World::new(TABLE).file("c.ndjson", &content).load("profiles");
    assert_adds_up(&load);
    assert_eq!((load.report.rows, load.report.rejected_rows()), (450, 50));
    assert_eq!(load.report.rejects[0].line, 10);
    let tables = TABLE.replace("key = ", "error_budget = 49\nkey = ");
    assert!(matches!(World::new(&tables).file("c.ndjson", content).failure("profiles"), Error::TooManyRejects(_)));
}

#[test]
fn row_66_a_line_without_end_is_rejected_and_the_next_one_is_read() {
    let endless = format!("{{\"id\":\"1\",\"x\":\"{}\"}}", "x".repeat(20 << 20));
    let content = format!("{{\"id\":\"0\"}}\n{endless}\n{{\"id\":\"2\"}}\n");
    let start: String = endless.chars().take(200).collect();
    let message =
        format!("c.ndjson line 2: \"{start}…\" is longer than 16777216 bytes, cut at byte 16777217 of the line");
    check("", content, &["0", "2"], &[&message]);
}

#[test]
fn chunks_of_a_long_file_are_put_together_in_order() {
    let rows = 2_000;
    let content: String = (0..rows).map(|row| format!("{{\"id\":\"{row}\",\"remark\":\"{:05000}\"}}\n", row)).collect();
    assert!(content.len() > 8 << 20, "the file must be longer than a chunk");
    let load = World::new(TABLE).file("c.ndjson", content + "nonsense").load("profiles");
    assert_eq!(column(&load, "id"), (0..rows).map(|row| row.to_string()).collect::<Vec<_>>());
    assert_eq!(load.report.rejects[0].line, rows as u64 + 1);
}
