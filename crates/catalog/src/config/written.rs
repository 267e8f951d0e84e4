//! Where a part of a text stands in the file, past the quotes and escapes with which TOML writes it.

/// The offset in a TOML string as it is `written`, quotes and all, of byte `within` of the text that it stands for; of
/// its end, where the text is shorter.
pub(super) fn offset(written: &str, within: usize) -> usize {
    let start = opening(written);
    let escapes = written.starts_with('"');
    let (mut offset, mut meant) = (start, 0);
    while meant < within && offset < written.len() {
        let (length, stands_for) = character(&written[offset..], escapes);
        (offset, meant) = (offset + length, meant + stands_for);
    }
    offset
}

/// How long the opening quotes are, with the line end that does not count behind three of them.
fn opening(written: &str) -> usize {
    let Some(body) = ["\"\"\"", "'''"].iter().find_map(|quotes| written.strip_prefix(quotes)) else { return 1 };
    let body = body.strip_prefix("\r\n").or_else(|| body.strip_prefix('\n')).unwrap_or(body);
    written.len() - body.len()
}

/// The bytes that the first character takes as it is written, and those that it stands for.
fn character(written: &str, escapes: bool) -> (usize, usize) {
    let mut characters = written.chars();
    let first = characters.next().map_or(1, char::len_utf8);
    if !escapes || !written.starts_with('\\') {
        return (first, first);
    }
    match characters.next() {
        Some(letter @ ('x' | 'u' | 'U')) => {
            let digits = [('x', 2), ('u', 4), ('U', 8)].into_iter().find(|(known, _)| *known == letter);
            let length = 2 + digits.map_or(0, |(_, digits)| digits);
            let code = written.get(2..length).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            (length, code.and_then(char::from_u32).map_or(0, char::len_utf8))
        }
        // A backslash at the end of a line swallows the blanks up to the next word.
        Some(blank) if blank.is_whitespace() => (written.len() - written[1..].trim_start().len(), 0),
        Some(letter) => (1 + letter.len_utf8(), 1),
        None => (1, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `written` without the `^`, which marks where byte `within` is to be found.
    #[track_caller]
    fn check(written: &str, within: usize) {
        assert_eq!(Some(offset(&written.replace('^', ""), within)), written.find('^'), "{written}");
    }

    #[test]
    fn quotes_and_escapes_are_passed_over() {
        check("\"ab^c\"", 2);
        check("'a\\^c'", 2);
        check(r#""\"a\" ^> 0""#, 4);
        check(r#""\u00e9^ = 1""#, 2);
        check(r#""\xe9^ = 1""#, 2);
        check("\"\"\"\nab^c\"\"\"", 2);
        check("'''\r\nab^c'''", 2);
        check("\"\"\"a \\\n   b^c\"\"\"", 3);
        check("\"é^ = 1\"", 2);
    }
}
