//! An error in a statement, with a caret below its place as a terminal shows it: wide letters take two columns there.

use muster_language::Error as LanguageError;
use muster_segment::Error as SegmentError;

use crate::width::width;

/// What went wrong, in words; in a statement over several lines with its place.
pub fn told(error: &anyhow::Error) -> String {
    let in_text = error.downcast_ref::<LanguageError>().or_else(|| match error.downcast_ref::<SegmentError>() {
        Some(SegmentError::Language(error)) => Some(error),
        _ => None,
    });
    in_text.map_or_else(|| error.to_string(), pointed)
}

/// As the language shows it, but that the caret stands below what is seen and not below what is counted.
fn pointed(error: &LanguageError) -> String {
    let LanguageError { place, line, message, hint, .. } = error;
    let line = line.replace('\t', " ");
    let before: String = line.chars().take(place.column.saturating_sub(1)).collect();
    // The end of a text may lie behind its last letter.
    let behind = (place.column - 1).saturating_sub(line.chars().count());
    let blanks = " ".repeat(width(&before) + behind);
    let hint = hint.as_ref().map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
    format!("{place}: {message}\n  {line}\n  {blanks}^{hint}")
}

#[cfg(test)]
mod tests {
    use muster_language::parse;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(told(&parse(text).unwrap_err().into()), expected);
    }

    #[test]
    fn the_caret_stands_below_what_is_wrong_as_it_is_seen() {
        check(
            "SELECT '日本' FROM\n  (profiles",
            "line 2, column 12: expected ); the text ends\n    (profiles\n             ^",
        );
        check(
            "SHOW '日本' TABLES",
            "line 1, column 6: expected TABLES, SEGMENTS or VARIABLES; found `'日本'`\n  SHOW '日本' TABLES\n       ^",
        );
        check(
            "DROP SEGMENT \"日本é\" x",
            "line 1, column 20: expected the end; found `x`\n  DROP SEGMENT \"日本é\" x\n                       ^",
        );
    }

    #[test]
    fn without_wide_letters_it_is_what_the_language_says() {
        for text in ["SELEC 1", "SELECT 1 +", "SELECT\t(", "SHOW", "DROP TABLE x", "SELECT 'open"] {
            let error = parse(text).unwrap_err();
            assert_eq!(pointed(&error), error.to_string());
        }
    }
}
