//! Characters that nobody sees: blanks of every kind at the ends, marks of no width, controls.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The text without what nobody sees, in its composed form (NFC): blanks at both ends go, characters without a width and
/// the controls of writing direction go wherever they stand. For keys and names of columns, where two texts that look
/// the same must be the same; other texts stay as they are.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text.trim());
    }
    if !text.contains(is_invisible) && is_composed(text.trim()) {
        return Cow::Borrowed(text.trim());
    }
    let visible: String = text.chars().filter(|character| !is_invisible(*character)).nfc().collect();
    Cow::Owned(visible.trim().to_owned())
}

fn is_composed(text: &str) -> bool {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => true,
        IsNormalized::No => false,
        IsNormalized::Maybe => text.nfc().eq(text.chars()),
    }
}

/// Soft hyphen, marks of no width, controls of writing direction, byte order mark.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// Whether a text holds a control character other than tab and line ends.
pub(crate) fn has_control_in_text(text: &str) -> bool {
    may_have_control(text) && text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// Whether a text holds any control character.
pub(crate) fn has_control(text: &str) -> bool {
    may_have_control(text) && text.chars().any(char::is_control)
}

/// A look at the bytes that few texts without controls pass: below the blank, DEL, or the first byte of the controls
/// behind it. In stretches, so that the compiler makes it as fast as memory.
fn may_have_control(text: &str) -> bool {
    let odd = |byte: u8| byte < b' ' || byte == 0x7f || byte == 0xc2;
    text.as_bytes().chunks(64).any(|stretch| stretch.iter().fold(false, |found, byte| found | odd(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_becomes_the_same() {
        for (text, expected) in [
            (" 42\t", "42"),
            ("\u{a0}42\u{2009}", "42"),
            ("A\u{ad}B\u{200b}\u{202e}", "AB"),
            ("\u{feff}id", "id"),
            ("Jose\u{301}", "José"),
            ("José", "José"),
            ("A B", "A B"),
            ("\u{200b}", ""),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    #[test]
    fn controls_are_found_and_accents_are_none() {
        assert!(["a\u{0}", "\u{1b}[1m", "a\u{7f}", "a\u{85}"].iter().all(|text| has_control_in_text(text)));
        assert!(!["a\tb\r\n", "Â£ é", "", "\u{202e}"].iter().any(|text| has_control_in_text(text)));
        assert!(has_control("a\tb") && !has_control("Â"));
    }
}
