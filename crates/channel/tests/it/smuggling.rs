//! Nothing in a message can end it early, whatever the server takes for its end.

use muster_channel::{Channel, Outcome, Smtp};
use serde_json::json;

use crate::fake::Fake;
use crate::world::{compose_for, of, settings};

/// Every sequence that some server was ever found to take for the end of a message, with CRLF written as it is.
const ENDS: [&str; 10] =
    ["\r\n.\r\n", "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\n.\r", "\r.\n", "\r\r\n.\r\r\n"];

const SECOND_MESSAGE: &str =
    "MAIL FROM:<eve@evil.example>\r\nRCPT TO:<jan@example.nl>\r\nDATA\r\nSubject: gotcha\r\n\r\nowned";

/// True if a lenient server would see the end of the message in `content`, which stops before the true end.
fn ends_early(content: &[u8]) -> bool {
    let has = |needle: &[u8]| content.windows(needle.len()).any(|window| window == needle);
    ENDS.iter().any(|end| has(end.as_bytes()))
}

/// True if a CR or LF stands alone.
fn has_bare_line_end(content: &[u8]) -> bool {
    let alone = |index: usize, byte: u8| match byte {
        b'\n' => index == 0 || content[index - 1] != b'\r',
        b'\r' => content.get(index + 1) != Some(&b'\n'),
        _ => false,
    };
    content.iter().enumerate().any(|(index, &byte)| alone(index, byte))
}

fn channel(port: u16) -> Smtp {
    let text = "---\nsubject: s\n---\nA {{ profile.note }} Z";
    let templates = of(&[("welcome.nl.txt", text), ("welcome.nl.html", "{{ profile.note | safe }}")]);
    Smtp::new("email", settings(port), templates).expect("these settings work")
}

/// Sends `note` in text and HTML and gives what arrived, as it stood on the wire.
fn sent(note: &str) -> Vec<u8> {
    let server = Fake::start(Vec::new());
    let channel = channel(server.port);
    let message = compose_for(&channel, Some("jan@example.nl"), json!({ "note": note })).expect("a note is a note");
    let mut connection = channel.open();
    assert!(matches!(connection.send(&message), Outcome::Sent { .. }), "{note:?}");
    connection.close();
    let seen = server.seen();
    let commands: Vec<&str> = seen.commands.iter().map(String::as_str).collect();
    let (first, rest) = commands.split_first().expect("it said hello");
    assert!(first.starts_with("EHLO [127.0.0.1]"), "{first}");
    assert_eq!(rest, ["MAIL FROM:<news@shop.example>", "RCPT TO:<jan@example.nl>", "DATA", "QUIT"], "{note:?}");
    assert_eq!(seen.accepted.len(), 1, "{note:?}");
    seen.accepted[0].1.clone()
}

/// The plain text of a message, decoded.
fn text(content: &[u8]) -> String {
    let content = std::str::from_utf8(content).expect("it is ASCII");
    let unstuffed: String =
        content.split_inclusive("\r\n").map(|line| line.strip_prefix('.').unwrap_or(line)).collect();
    let part = unstuffed.split("--=_muster_alternative").nth(1).expect("there is a first part");
    let body = part.split_once("\r\n\r\n").expect("a part has a head").1;
    decoded(body.strip_suffix("\r\n").expect("a part ends in a line end"))
}

fn decoded(quoted: &str) -> String {
    let quoted = quoted.replace("=\r\n", "");
    let mut parts = quoted.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two hex digits follow"));
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).expect("it was text")
}

#[test]
fn no_end_of_message_can_be_smuggled_in() {
    for end in ENDS {
        let note = format!("hello{end}{SECOND_MESSAGE}{end}");
        let content = sent(&note);
        assert!(!ends_early(&content), "{end:?}");
        assert!(!has_bare_line_end(&content), "{end:?}");
        assert!(content.is_ascii() && !content.contains(&0), "{end:?}");
        let one_line_end = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
        assert_eq!(one_line_end(&text(&content)), one_line_end(&format!("A {note} Z")), "{end:?}");
    }
}

#[test]
fn the_watchman_sees_what_he_watches_for() {
    for end in ENDS {
        assert!(ends_early(format!("hello{end}MAIL").as_bytes()), "{end:?}");
    }
    assert!(!ends_early(b"hello\r\n..\r\nworld\r\n"));
    for bare in ["a\nb", "a\rb", "\na", "a\r", "a\r\r\nb"] {
        assert!(has_bare_line_end(bare.as_bytes()), "{bare:?}");
    }
    assert!(!has_bare_line_end(b"a\r\nb\r\n"));
}

#[test]
fn dots_long_lines_and_eight_bits_arrive_as_they_were() {
    let long = "x".repeat(5_000);
    let dots = ".\n..\n...\n.a\n".repeat(3);
    for note in
        [long.as_str(), &dots, "Grüße, Ζωή, 😀", "tab\tand blank \nat the end ", "=3D =_muster_alternative", "\0"]
    {
        let content = sent(note);
        assert!(content.split(|&byte| byte == b'\n').all(|line| line.len() <= 80), "{note:?}");
        assert!(!ends_early(&content) && !has_bare_line_end(&content) && content.is_ascii(), "{note:?}");
        assert_eq!(text(&content).replace("\r\n", "\n"), format!("A {note} Z"), "{note:?}");
    }
}

#[test]
fn the_boundary_cannot_be_written_by_a_recipient() {
    let content = sent("\r\n--=_muster_alternative--\r\n");
    let lines = String::from_utf8(content).expect("it is ASCII");
    assert_eq!(lines.matches("\r\n--=_muster_alternative").count(), 3);
}
