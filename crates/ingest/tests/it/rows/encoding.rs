//! Rows 1 to 5: marks, UTF-16, zero bytes, Windows-1252, mixtures.

use super::{read, refusal};
use crate::world::column;

fn utf_16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes_of).collect()
}

#[test]
fn row_01_a_mark_is_stripped_and_the_first_name_is_clean() {
    let (load, rejects) = read("", "\u{feff}id,name\n1,Ann\n");
    assert_eq!(load.columns[0].name, "id");
    assert_eq!((column(&load, "id"), rejects.len()), (vec!["1".to_owned()], 0));
}

#[test]
fn row_01_a_mark_inside_of_a_text_stays() {
    let (load, _) = read("", "id,name\n1,\u{feff}Ann\n");
    assert_eq!(column(&load, "name"), ["\u{feff}Ann"]);
}

#[test]
fn row_02_utf_16_with_a_mark_is_decoded_in_either_order() {
    let text = "\u{feff}id;name\r\n1;\"René\r\n& 𝄞\"\r\n2;Bob";
    for content in [utf_16(text, u16::to_le_bytes), utf_16(text, u16::to_be_bytes)] {
        let (load, rejects) = read("", content);
        assert_eq!(column(&load, "name"), ["René\r\n& 𝄞", "Bob"]);
        assert_eq!(rejects, [] as [&str; 0]);
    }
}

#[test]
fn row_02_what_is_no_character_in_utf_16_is_rejected_and_a_mark_may_not_contradict() {
    let mut content = utf_16("\u{feff}id,name\n1,Ann\n2,", u16::to_le_bytes);
    content.extend([0x00, 0xd8]);
    content.extend(utf_16("x\n3,Bob\n", u16::to_le_bytes));
    let (load, rejects) = read("", &content);
    assert_eq!(column(&load, "id"), ["1", "3"]);
    assert_eq!(rejects, ["c.csv line 3, name: \"2,\u{fffd}x\" holds bytes that are no character in utf-16le"]);
    assert_eq!(
        refusal("encoding = \"windows-1252\"\n", &content),
        "c.csv: declared as windows-1252, but its byte order mark says utf-16le\n  hint: without `encoding` the mark decides"
    );
}

#[test]
fn row_03_utf_16_without_a_mark_and_zero_bytes_are_refused_with_a_hint() {
    let little = utf_16("id,name\n1,Ann\n2,Bob\n", u16::to_le_bytes);
    assert_eq!(
        refusal("", &little),
        "c.csv: zero bytes where text was expected; it looks like utf-16le without a mark\n  hint: save the file as UTF-8, or declare encoding = \"utf-16le\""
    );
    assert!(refusal("", "id,name\n1,A\0nn\n").starts_with("c.csv: zero bytes where text was expected\n"));
    assert!(refusal("encoding = \"utf-16\"\n", &little).starts_with("c.csv: declared as utf-16, but it has no byte"));
}

#[test]
fn row_03_declared_utf_16_needs_no_mark() {
    let content = utf_16("id,name\n1,Ann\n", u16::to_be_bytes);
    assert_eq!(column(&read("encoding = \"utf-16be\"\n", content).0, "name"), ["Ann"]);
}

#[test]
fn row_04_windows_1252_bytes_are_rejected_with_their_byte() {
    let (load, rejects) = read("", b"id,name\n1,Ren\xe9\n2,Bob\n");
    assert_eq!(column(&load, "name"), ["Bob"]);
    assert_eq!(rejects, ["c.csv line 2, name: \"1,Ren\u{fffd}\" is not UTF-8 at byte 4 of the field"]);
}

#[test]
fn row_04_windows_1252_is_read_where_it_is_declared_and_damage_replaced_only_where_it_is_asked_for() {
    let content = b"id,name\n1,Ren\xe9 \x80\n2,Bob\n";
    assert_eq!(column(&read("encoding = \"windows-1252\"\n", content).0, "name"), ["René €", "Bob"]);
    assert_eq!(column(&read("damaged = \"replace\"\n", content).0, "name"), ["Ren\u{fffd} \u{fffd}", "Bob"]);
    let (_, rejects) = read("encoding = \"windows-1252\"\n", b"id,name\n1,\x81\n");
    assert_eq!(rejects, ["c.csv line 2, name: \"\u{81}\" holds a control character"], "no character has this byte");
}

#[test]
fn row_05_mixed_encodings_are_told_line_by_line_and_counted() {
    let (load, rejects) = read("", b"id,name\n1,Ren\xc3\xa9\n2,Ren\xe9\n3,Bob\n4,\xff\xfe\n");
    assert_eq!(column(&load, "name"), ["René", "Bob"]);
    assert_eq!(
        (rejects.len(), load.report.rejected[0].kind.as_str(), load.report.rejected[0].rows),
        (2, "encoding", 2)
    );
}

#[test]
fn row_05_bytes_in_a_column_that_nobody_reads_spoil_nothing() {
    let tables = "one_row_per_key = true\n";
    let (load, rejects) = read(tables, b"id,name\n1,Ren\xe9\n");
    assert_eq!((column(&load, "id"), rejects.len()), (vec!["1".to_owned()], 0));
}
