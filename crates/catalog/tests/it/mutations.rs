//! A file that somebody is in the middle of typing: whatever it says, there is an answer, and places lie in the text.

use std::fs;

use proptest::prelude::*;
use proptest::sample::Index;

use crate::world::read;

fn corner_shop() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../datasets/corner-shop/muster.toml")).unwrap()
}

/// One slip of the hand.
#[derive(Debug, Clone)]
enum Slip {
    /// A run of characters is lost.
    Lose { from: Index, length: usize },
    /// Something else comes in.
    Insert { at: Index, text: String },
    /// A line goes to another place.
    Move { from: Index, to: Index },
    /// A line is there twice.
    Double { line: Index, at: Index },
}

fn slip() -> impl Strategy<Value = Slip> {
    let piece = prop_oneof![
        any::<String>(),
        "[\\[\\]{}=,.\"'#\\n\\\\a-z0-9_ ]{0,8}",
        prop::sample::select(vec![
            "= 1",
            "[]",
            "{}",
            "\"\"",
            "true",
            "[tables.x]\n",
            "parent = \"carts\"\n",
            "é",
            "\u{0}"
        ])
        .prop_map(str::to_owned),
    ];
    prop_oneof![
        (any::<Index>(), 1..40_usize).prop_map(|(from, length)| Slip::Lose { from, length }),
        (any::<Index>(), piece).prop_map(|(at, text)| Slip::Insert { at, text }),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Slip::Move { from, to }),
        (any::<Index>(), any::<Index>()).prop_map(|(line, at)| Slip::Double { line, at }),
    ]
}

fn slipped(text: &str, slip: &Slip) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    match slip {
        _ if text.is_empty() => String::new(),
        Slip::Lose { from, length } => {
            let from = from.index(characters.len());
            characters.drain(from..(from + length).min(characters.len()));
            characters.into_iter().collect()
        }
        Slip::Insert { at, text } => {
            let at = at.index(characters.len());
            characters.splice(at..at, text.chars());
            characters.into_iter().collect()
        }
        Slip::Move { from, to } => {
            let line = lines.remove(from.index(lines.len()));
            lines.insert(to.index(lines.len() + 1), line);
            lines.concat()
        }
        Slip::Double { line, at } => {
            let line = lines[line.index(lines.len())];
            lines.insert(at.index(lines.len()), line);
            lines.concat()
        }
    }
}

/// Reads `text` and holds the answer to what every answer promises.
fn check_promises(text: &str) {
    let Err(problems) = read(text) else { return };
    assert!(!problems.0.is_empty(), "refused without a word:\n{text}");
    let places: Vec<_> = problems.0.iter().map(|problem| &problem.place).collect();
    assert!(places.is_sorted(), "out of order: {problems}");
    // A last line end opens one more line, which has nothing on it yet.
    let lines: Vec<&str> = text.split('\n').collect();
    for place in places {
        let line = lines.get(place.line - 1).unwrap_or_else(|| panic!("{place} is no line of:\n{text}"));
        assert!(place.column <= line.chars().count() + 1, "{place} is not in:\n{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_typed_there_is_an_answer(slips in prop::collection::vec(slip(), 1..6)) {
        check_promises(&slips.iter().fold(corner_shop(), |text, slip| slipped(&text, slip)));
    }

    #[test]
    fn a_condition_of_any_text_has_an_answer(text in "[a-z0-9 '\"=<>!(),;.%_+\\-é]{0,24}|[\\PC]{0,12}") {
        if let Err((place, _)) = muster_catalog::parse_conditions(&text) {
            prop_assert!(text.is_char_boundary(place), "{place} is inside a character of {text}");
        }
    }
}
