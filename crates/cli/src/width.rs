//! How wide text is on a terminal.

use rustyline::GraphemeClusterMode;

/// The columns of a terminal that `text` takes: none for marks that stand on another letter, two for a wide letter.
pub fn width(text: &str) -> usize {
    text.chars().map(letter_width).sum()
}

/// The columns of one letter.
pub fn letter_width(letter: char) -> usize {
    let mut bytes = [0; 4];
    GraphemeClusterMode::WcWidth.width(letter.encode_utf8(&mut bytes)).into()
}

/// The beginning of `text` that fits into `columns`, with a sign where something was left out.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut taken = 0;
    for letter in text.chars() {
        taken += letter_width(letter);
        if taken > columns.saturating_sub(1) {
            break;
        }
        kept.push(letter);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_count_as_they_are_shown() {
        for (text, expected) in [("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("日本", 4), ("😀", 2)] {
            assert_eq!(width(text), expected, "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_ends_with_a_sign_and_fits() {
        for (text, columns, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("ab", 1, "…"),
        ] {
            assert_eq!(cut(text, columns), expected);
            assert!(width(&cut(text, columns)) <= columns, "{text}");
        }
    }
}
