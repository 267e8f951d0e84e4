//! Strict JSON, read in place: what nobody asks for is checked and not kept.
//!
//! A general reader would take the last of two equal names, round long numbers and nest as deep as the stack bears.
//! Here two equal names are a fault, a number stays the text that it is, and depth has a limit. So has what a text may
//! hold: no half of a surrogate pair, and no NUL.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

/// How deep lists and objects may be nested.
const DEEPEST: usize = 64;

/// Why a text is not the JSON that was expected, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The byte.
    pub(crate) at: usize,
    /// What is wrong there.
    pub(crate) what: String,
}

/// Reads one value after the other.
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Begins at byte `at` of `text`.
    pub(crate) fn at(text: &'a str, at: usize) -> Self {
        Self { text, at, depth: 0 }
    }

    /// What stands here is at fault.
    pub(crate) fn fault(&self, what: impl Into<String>) -> Fault {
        Fault { at: self.at, what: what.into() }
    }

    /// Nothing may follow.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        if self.next().is_none() { Ok(()) } else { Err(self.fault("expected nothing more")) }
    }

    /// The byte with which the next value begins.
    pub(crate) fn next(&mut self) -> Option<u8> {
        while self.here().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
        self.here()
    }

    /// An object: `member` reads the value of each of its names.
    pub(crate) fn object(&mut self, mut member: impl FnMut(&mut Self, &str) -> Result<(), Fault>) -> Result<(), Fault> {
        let mut names = Names::default();
        self.enclosed(b'{', b'}', "an object", |reader| {
            reader.next();
            let at = reader.at;
            let name = reader.string()?;
            if !names.are_new_with(&name) {
                return Err(Fault { at, what: format!("the name `{}` stands here a second time", shortened(&name)) });
            }
            reader.expect(b':', "a colon")?;
            member(reader, &name)
        })
    }

    /// A list: `member` reads each of its values.
    pub(crate) fn list(&mut self, member: impl FnMut(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        self.enclosed(b'[', b']', "a list", member)
    }

    fn enclosed(
        &mut self,
        open: u8,
        close: u8,
        what: &str,
        mut member: impl FnMut(&mut Self) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.expect(open, what)?;
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.fault(format!("nested deeper than {DEEPEST}")));
        }
        if self.next() != Some(close) {
            member(self)?;
            while self.next() == Some(b',') {
                self.at += 1;
                member(self)?;
            }
        }
        self.depth -= 1;
        self.expect(close, if close == b'}' { "a comma or `}`" } else { "a comma or `]`" })
    }

    /// Any value: where it stands.
    pub(crate) fn value(&mut self) -> Result<Range<usize>, Fault> {
        let first = self.next();
        let start = self.at;
        match first {
            Some(b'{') => self.object(|reader, _| reader.value().map(drop))?,
            Some(b'[') => self.list(|reader| reader.value().map(drop))?,
            Some(b'"') => self.string().map(drop)?,
            Some(b'-' | b'0'..=b'9') => self.number().map(drop)?,
            Some(b't' | b'f' | b'n') => self.word()?,
            Some(_) => return Err(self.fault("expected a value")),
            None => return Err(self.fault("it ends where a value should stand")),
        }
        Ok(start..self.at)
    }

    /// A text.
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>, Fault> {
        self.expect(b'"', "a text in double quotes")?;
        let start = self.at;
        let mut unescaped: Option<String> = None;
        let mut copied = start;
        loop {
            match self.here() {
                Some(b'"') => break,
                Some(b'\\') => {
                    let text = unescaped.get_or_insert_default();
                    text.push_str(&self.text[copied..self.at]);
                    text.push(self.escape()?);
                    copied = self.at;
                }
                Some(0..0x20) => return Err(self.fault("a control character in a text; write it as an escape")),
                Some(_) => self.at += 1,
                None => return Err(self.fault("it ends within a text")),
            }
        }
        let rest = &self.text[copied..self.at];
        self.at += 1;
        Ok(match unescaped {
            Some(text) => Cow::Owned(text + rest),
            None => Cow::Borrowed(rest),
        })
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let escape = self.text.as_bytes().get(self.at + 1).copied();
        let plain = match escape {
            Some(b'u') => return self.code_point(),
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.fault("an escape that JSON does not know")),
        };
        self.at += 2;
        Ok(plain)
    }

    /// `\u0041`, or the two halves of a character beyond the first plane.
    fn code_point(&mut self) -> Result<char, Fault> {
        let first = self.unit()?;
        let code = match first {
            0 => return Err(self.fault("NUL in a text")),
            0xD800..0xDC00 => {
                let low = self.text[self.at + 6..].starts_with("\\u").then(|| self.unit_at(self.at + 6)).flatten();
                let Some(low @ 0xDC00..0xE000) = low else { return Err(self.fault("half of a surrogate pair")) };
                self.at += 6;
                0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00)
            }
            code => code,
        };
        let point = char::from_u32(code).ok_or_else(|| self.fault("half of a surrogate pair"))?;
        self.at += 6;
        Ok(point)
    }

    fn unit(&self) -> Result<u32, Fault> {
        self.unit_at(self.at).ok_or_else(|| self.fault("expected four hexadecimal digits after `\\u`"))
    }

    fn unit_at(&self, at: usize) -> Option<u32> {
        let digits = self.text.as_bytes().get(at + 2..at + 6)?;
        digits.iter().try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
    }

    /// A number, as it is written.
    pub(crate) fn number(&mut self) -> Result<&'a str, Fault> {
        self.next();
        let start = self.at;
        self.at += usize::from(self.here() == Some(b'-'));
        let integer = self.digits()?;
        if integer.len() > 1 && integer.starts_with('0') {
            return Err(Fault { at: start, what: "a number that begins with 0".to_owned() });
        }
        if self.here() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.here(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.here(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        while self.here().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(&self.text[start..self.at]) } else { Err(self.fault("expected a digit")) }
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self) -> Result<bool, Fault> {
        let first = self.next();
        if !matches!(first, Some(b't' | b'f')) {
            return Err(self.fault("expected true or false"));
        }
        self.word().map(|()| first == Some(b't'))
    }

    fn word(&mut self) -> Result<(), Fault> {
        let rest = &self.text[self.at..];
        let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word));
        self.at += word.ok_or_else(|| self.fault("expected true, false or null"))?.len();
        Ok(())
    }

    fn expect(&mut self, wanted: u8, what: &str) -> Result<(), Fault> {
        if self.next() != Some(wanted) {
            return Err(self.fault(format!("expected {what}")));
        }
        self.at += 1;
        Ok(())
    }

    fn here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// The names of one object so far: few in a list, many in a set.
#[derive(Default)]
struct Names {
    few: Vec<String>,
    many: HashSet<String>,
}

/// Up to so many names a list is faster than a set.
const FEW: usize = 24;

impl Names {
    fn are_new_with(&mut self, name: &str) -> bool {
        if self.few.iter().any(|known| known == name) || self.many.contains(name) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(name.to_owned());
        } else {
            self.many.insert(name.to_owned());
        }
        true
    }
}

/// A name from outside, short enough for a message.
pub(crate) fn shortened(name: &str) -> Cow<'_, str> {
    const MOST: usize = 60;
    match name.char_indices().nth(MOST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
        None => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), (usize, String)> {
        let mut reader = Reader::at(text, 0);
        let read = reader.value().map(drop).and_then(|()| reader.end());
        read.map_err(|fault| (fault.at, fault.what))
    }

    #[test]
    fn what_json_allows_is_read() {
        for text in [
            "{}",
            " [1, -0.5e+10 ,\"\\u0041\\ud83d\\ude00\\n/\", true,false,null, {\"a\":{\"a\":[]}}]\r\n",
            "12345678901234567890123456789.000000000000000001",
            "\"é\"",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_it_does_not_is_a_fault_with_its_place() {
        for (text, at, what) in [
            ("", 0, "it ends where a value should stand"),
            ("{\"a\":1,}", 7, "expected a text in double quotes"),
            ("[1,]", 3, "expected a value"),
            ("[1 2]", 3, "expected a comma or `]`"),
            ("{\"a\" 1}", 5, "expected a colon"),
            ("{\"a\":1,\"b\":2,\"a\":3}", 13, "the name `a` stands here a second time"),
            ("{\"a\":1,\"\\u0061\":3}", 7, "the name `a` stands here a second time"),
            ("NaN", 0, "expected a value"),
            ("nul", 0, "expected true, false or null"),
            ("01", 0, "a number that begins with 0"),
            ("1.", 2, "expected a digit"),
            ("1e", 2, "expected a digit"),
            ("+1", 0, "expected a value"),
            ("1 // one", 2, "expected nothing more"),
            ("\"a\tb\"", 2, "a control character in a text; write it as an escape"),
            ("\"\\u0000\"", 1, "NUL in a text"),
            ("\"\\ud800\"", 1, "half of a surrogate pair"),
            ("\"\\ud800\\u0041\"", 1, "half of a surrogate pair"),
            ("\"\\udc00\"", 1, "half of a surrogate pair"),
            ("\"\\u00g0\"", 1, "expected four hexadecimal digits after `\\u`"),
            ("\"\\u00", 1, "expected four hexadecimal digits after `\\u`"),
            ("\"\\x\"", 1, "an escape that JSON does not know"),
            ("\"a", 2, "it ends within a text"),
        ] {
            assert_eq!(check(text), Err((at, what.to_owned())), "{text}");
        }
    }

    #[test]
    fn sixty_four_levels_are_read_and_one_more_is_not() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert_eq!(check(&nested(64)), Ok(()));
        assert_eq!(check(&nested(65)), Err((65, "nested deeper than 64".to_owned())));
        assert_eq!(check(&nested(1_000_000)), Err((65, "nested deeper than 64".to_owned())));
    }

    #[test]
    fn the_second_of_two_equal_names_is_found_among_many() {
        let names = |last: usize| {
            let members: Vec<String> = (0..100).chain([last]).map(|name| format!("\"{name}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(check(&names(100)), Ok(()));
        for twice in [0, 23, 24, 99] {
            let found = check(&names(twice)).unwrap_err().1;
            assert_eq!(found, format!("the name `{twice}` stands here a second time"));
        }
    }

    #[test]
    fn a_text_is_what_its_escapes_mean() {
        let mut reader = Reader::at("\"a\\u00e9\\\"\\ud83d\\ude00b\"", 0);
        assert_eq!(reader.string().unwrap(), "aé\"😀b");
        assert!(matches!(Reader::at("\"plain\"", 0).string(), Ok(Cow::Borrowed("plain"))));
    }

    /// The general reader is the twin: it accepts what this one accepts, but for what this one refuses on purpose.
    #[test]
    fn on_broken_texts_it_agrees_with_a_general_reader() {
        let whole = r#"{"a":[1,-2.5e3,"x\"\u00e9\ud83d\ude00",{"b":null,"c":[true,false,{}]}],"d":""," e":0}"#;
        let alphabet: Vec<char> = "{}[]\":,\\ue09d8-+.tfn \u{7f}é".chars().collect();
        let mut chance = 42_u64;
        let mut draw = move |below: usize| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (chance >> 33) as usize % below
        };
        let (mut accepted, mut refused) = (0, 0);
        for _ in 0..20_000 {
            let mut text: Vec<char> = whole.chars().collect();
            for _ in 0..=draw(3) {
                let at = draw(text.len());
                match draw(3) {
                    0 => drop(text.remove(at)),
                    1 => text[at] = alphabet[draw(alphabet.len())],
                    _ => text.insert(at, alphabet[draw(alphabet.len())]),
                }
            }
            let text: String = text.into_iter().collect();
            let general = serde_json::from_str::<serde_json::Value>(&text).map(drop);
            let general = general.is_ok() || general.is_err_and(|error| error.to_string().contains("out of range"));
            match check(&text) {
                Ok(()) => accepted += 1,
                Err((_, what)) if what.contains("a second time") || what == "NUL in a text" => continue,
                Err(_) => refused += 1,
            }
            assert_eq!(check(&text).is_ok(), general, "{text}");
        }
        assert!(accepted > 1_000 && refused > 1_000, "{accepted} accepted, {refused} refused");
    }
}
