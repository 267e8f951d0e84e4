//! One line of NDJSON, read strictly after RFC 8259. Numbers stay the digits that were written.

use std::borrow::Cow;

use super::fault::JsonFault;
use super::field::FieldKind;

/// Lists and objects in one another; the outermost object is the first.
const DEEPEST: usize = 64;
/// Up to so many keys are compared each with each.
const FEW_KEYS: usize = 16;

/// What is wrong with a line, and at which byte of it, counted from one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LineFault {
    pub byte: usize,
    pub fault: JsonFault,
}

/// A value as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    /// `None` for `null`.
    pub kind: Option<FieldKind>,
    /// A string's characters; the digits of a number; the JSON of lists and objects.
    pub text: Cow<'a, str>,
}

/// Keys and values of one object, in order.
pub(crate) type Members<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// The members of the object that a line holds.
pub(crate) fn object(line: &[u8]) -> Result<Members<'_>, LineFault> {
    let text = std::str::from_utf8(line)
        .map_err(|error| LineFault { byte: error.valid_up_to() + 1, fault: JsonFault::Encoding })?;
    let mut reader = Reader::new(text);
    reader.skip_blanks();
    if reader.peek() != Some(b'{') {
        let byte = reader.at + 1;
        // Whether the line is JSON at all decides which of the two is wrong with it.
        reader.value()?;
        reader.end()?;
        return Err(LineFault { byte, fault: JsonFault::NoObject });
    }
    let members = reader.object()?;
    reader.end()?;
    Ok(members)
}

/// The members of a list of texts and numbers, as texts; `None` if there is another kind among them.
///
/// `list` is the JSON of a list that was read before. A `null` in it is no member.
pub(crate) fn members(list: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut texts = Vec::new();
    for value in Reader::new(list).list().ok()? {
        match value.kind {
            None => {}
            Some(FieldKind::Text | FieldKind::Number) => texts.push(value.text),
            Some(_) => return None,
        }
    }
    Some(texts)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    fn value(&mut self) -> Result<Value<'a>, LineFault> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => return self.string().map(|text| Value { kind: Some(FieldKind::Text), text }),
            Some(b'{') => {
                self.object()?;
                Some(FieldKind::Object)
            }
            Some(b'[') => {
                self.list()?;
                Some(FieldKind::List)
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Some(FieldKind::Number)
            }
            _ => self.word()?,
        };
        Ok(Value { kind, text: self.text[start..self.at].into() })
    }

    fn object(&mut self) -> Result<Members<'a>, LineFault> {
        let (mut members, mut keys_at) = (Vec::new(), Vec::new());
        self.separated([b'{', b'}'], "`,` or `}` behind a value", |reader| {
            keys_at.push(reader.at);
            members.push(reader.member()?);
            Ok(())
        })?;
        match second_of_a_key(&members) {
            Some(second) => {
                let fault = JsonFault::DuplicateKey(members[second].0.clone().into_owned());
                Err(LineFault { byte: keys_at[second] + 1, fault })
            }
            None => Ok(members),
        }
    }

    fn member(&mut self) -> Result<(Cow<'a, str>, Value<'a>), LineFault> {
        if self.peek() != Some(b'"') {
            return self.expected("a key in double quotes");
        }
        let key = self.string()?;
        self.skip_blanks();
        self.take(b':', "`:` behind a key")?;
        self.skip_blanks();
        Ok((key, self.value()?))
    }

    fn list(&mut self) -> Result<Vec<Value<'a>>, LineFault> {
        let mut values = Vec::new();
        self.separated([b'[', b']'], "`,` or `]` behind a value", |reader| {
            values.push(reader.value()?);
            Ok(())
        })?;
        Ok(values)
    }

    /// Nothing, or elements with commas between them, in brackets of which the first was seen already.
    fn separated(
        &mut self,
        [open, close]: [u8; 2],
        what: &'static str,
        mut element: impl FnMut(&mut Self) -> Result<(), LineFault>,
    ) -> Result<(), LineFault> {
        self.deeper()?;
        self.take(open, "a list or an object")?;
        self.skip_blanks();
        let mut more = self.peek() != Some(close);
        if !more {
            self.at += 1;
        }
        while more {
            self.skip_blanks();
            element(self)?;
            self.skip_blanks();
            more = self.goes_on(close, what)?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Takes the comma or the closing bracket behind a value; whether it was the comma.
    fn goes_on(&mut self, close: u8, what: &'static str) -> Result<bool, LineFault> {
        let comma = self.peek() == Some(b',');
        if !comma && self.peek() != Some(close) {
            return self.expected(what);
        }
        self.at += 1;
        Ok(comma)
    }

    fn string(&mut self) -> Result<Cow<'a, str>, LineFault> {
        self.at += 1;
        let start = self.at;
        let mut unescaped: Option<String> = None;
        loop {
            let plain_from = self.at;
            self.skip_plain();
            let plain = &self.text[plain_from..self.at];
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    let whole = &self.text[start..self.at - 1];
                    return Ok(unescaped.map_or(whole.into(), |text| (text + plain).into()));
                }
                Some(b'\\') => {
                    let text = unescaped.get_or_insert_default();
                    text.push_str(plain);
                    text.push(self.escaped()?);
                }
                Some(0) => return self.fault(JsonFault::Nul),
                Some(_) => return self.expected("control characters of a text to be escaped"),
                None => return self.expected("a closing double quote"),
            }
        }
    }

    /// Goes on to the next byte of a string that means something.
    fn skip_plain(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().position(|byte| *byte < b' ' || matches!(byte, b'"' | b'\\'));
        self.at += length.unwrap_or(rest.len());
    }

    fn escaped(&mut self) -> Result<char, LineFault> {
        let start = self.at;
        self.at += 2;
        Ok(match self.text.as_bytes().get(start + 1) {
            Some(letter @ (b'"' | b'\\' | b'/')) => char::from(*letter),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(start),
            _ => {
                self.at = start;
                return self.expected("one of the escapes \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
            }
        })
    }

    /// The character of `\uXXXX`, or of two of them that are a pair; `start` is where the escape begins.
    fn code_point(&mut self, start: usize) -> Result<char, LineFault> {
        let at_start = |fault| Err(LineFault { byte: start + 1, fault });
        let first = self.four_digits()?;
        let code = match first {
            0 => return at_start(JsonFault::Nul),
            0xD800..=0xDBFF if self.text.as_bytes()[self.at..].starts_with(b"\\u") => {
                self.at += 2;
                let second = self.four_digits()?;
                if !(0xDC00..=0xDFFF).contains(&second) {
                    return at_start(JsonFault::LoneSurrogate);
                }
                0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
            }
            code => code,
        };
        char::from_u32(code).map_or_else(|| at_start(JsonFault::LoneSurrogate), Ok)
    }

    fn four_digits(&mut self) -> Result<u32, LineFault> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else { return self.expected("four hexadecimal digits behind \\u") };
        self.at += 4;
        Ok(digits.iter().fold(0, |code, digit| code * 16 + char::from(*digit).to_digit(16).unwrap_or(0)))
    }

    fn number(&mut self) -> Result<(), LineFault> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), LineFault> {
        let rest = &self.text.as_bytes()[self.at..];
        match rest.iter().take_while(|byte| byte.is_ascii_digit()).count() {
            0 => self.expected("a digit"),
            count => {
                self.at += count;
                Ok(())
            }
        }
    }

    fn word(&mut self) -> Result<Option<FieldKind>, LineFault> {
        let rest = &self.text[self.at..];
        let words = [("true", Some(FieldKind::Bool)), ("false", Some(FieldKind::Bool)), ("null", None)];
        match words.iter().find(|(word, _)| rest.starts_with(word)) {
            Some((word, kind)) => {
                self.at += word.len();
                Ok(*kind)
            }
            None => self.expected("a value: text in double quotes, a number, true, false, null, a list or an object"),
        }
    }

    fn deeper(&mut self) -> Result<(), LineFault> {
        self.depth += 1;
        if self.depth > DEEPEST { self.fault(JsonFault::TooDeep { limit: DEEPEST }) } else { Ok(()) }
    }

    fn take(&mut self, wanted: u8, what: &'static str) -> Result<(), LineFault> {
        if self.peek() != Some(wanted) {
            return self.expected(what);
        }
        self.at += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), LineFault> {
        self.skip_blanks();
        if self.at == self.text.len() { Ok(()) } else { self.expected("nothing behind the value") }
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| is_blank(**byte)).count();
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expected<T>(&self, what: &'static str) -> Result<T, LineFault> {
        self.fault(JsonFault::Expected(what))
    }

    fn fault<T>(&self, fault: JsonFault) -> Result<T, LineFault> {
        Err(LineFault { byte: self.at + 1, fault })
    }
}

/// What JSON takes for a blank.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The number of the first member whose key stood before.
fn second_of_a_key(members: &Members<'_>) -> Option<usize> {
    if members.len() <= FEW_KEYS {
        return (1..members.len()).find(|at| members[..*at].iter().any(|(key, _)| *key == members[*at].0));
    }
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|at| (&members[*at].0, *at));
    let seconds = order.windows(2).filter(|pair| members[pair[0]].0 == members[pair[1]].0);
    seconds.map(|pair| pair[1]).min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The members as `key=kind:text`, or the fault with its byte.
    fn read(line: &str) -> String {
        match object(line.as_bytes()) {
            Ok(members) => {
                let shown = |(key, value): &(Cow<'_, str>, Value<'_>)| match value.kind {
                    Some(kind) => format!("{key}={kind:?}:{}", value.text),
                    None => format!("{key}=null"),
                };
                members.iter().map(shown).collect::<Vec<_>>().join(" ")
            }
            Err(LineFault { byte, fault }) => format!("{} at {byte}", fault.kind()),
        }
    }

    #[track_caller]
    fn check(line: &str, expected: &str) {
        assert_eq!(read(line), expected, "{line}");
    }

    #[test]
    fn values_keep_their_kind_and_numbers_their_digits() {
        check(r#" {"a": "x", "b":-1.50e+3,"c":true ,"d":null}  "#, "a=Text:x b=Number:-1.50e+3 c=Bool:true d=null");
        check(r#"{"a":[1, {"b":2}],"c":{}}"#, r#"a=List:[1, {"b":2}] c=Object:{}"#);
        check("{}", "");
        check(r#"{"":12345678901234567890123}"#, "=Number:12345678901234567890123");
    }

    #[test]
    fn escapes_are_read_and_pairs_are_one_character() {
        check(r#"{"a":"\"\\\/\n\u00e9\ud83d\ude00"}"#, "a=Text:\"\\/\né😀");
        check(r#"{"\u0061":"b","c":"d"}"#, "a=Text:b c=Text:d");
    }

    #[test]
    fn what_is_not_json_says_where() {
        for (line, expected) in [
            (r#"{"a":1,}"#, "not JSON at 8"),
            (r#"{"a":1 "b":2}"#, "not JSON at 8"),
            (r#"{'a':1}"#, "not JSON at 2"),
            (r#"{"a":NaN}"#, "not JSON at 6"),
            (r#"{"a":01}"#, "not JSON at 7"),
            (r#"{"a":1.}"#, "not JSON at 8"),
            (r#"{"a":+1}"#, "not JSON at 6"),
            (r#"{"a":1} // x"#, "not JSON at 9"),
            (r#"{"a":"x"#, "not JSON at 8"),
            ("{\"a\":\"x\ty\"}", "not JSON at 8"),
            (r#"{"a":"\x"}"#, "not JSON at 7"),
            (r#"{"a":"\u12"}"#, "not JSON at 9"),
            (r#"{"a":[1,]}"#, "not JSON at 9"),
            (r#"{"a""#, "not JSON at 5"),
            ("{", "not JSON at 2"),
            ("", "not JSON at 1"),
            ("[1]", "no object at 1"),
            (" 7", "no object at 2"),
            (r#"{"a":"\ud800"}"#, "lone surrogate at 7"),
            (r#"{"a":"\ud800\u0061"}"#, "lone surrogate at 7"),
            (r#"{"a":"\udc00"}"#, "lone surrogate at 7"),
            (r#"{"a":"x\u0000"}"#, "NUL character at 8"),
            ("{\"a\":\"x\0\"}", "NUL character at 8"),
            (r#"{"a":1,"b":2,"a":3}"#, "duplicate key at 14"),
            (r#"{"a":1,"\u0061":3}"#, "duplicate key at 8"),
            (r#"{"x":{"a":1,"a":3}}"#, "duplicate key at 13"),
        ] {
            check(line, expected);
        }
    }

    #[test]
    fn a_key_twice_among_many_is_found_as_among_few() {
        let keys = |count: usize| (0..count).map(|key| format!("\"k{key}\":0,")).collect::<String>();
        for count in [2, 16, 17, 1000] {
            let before = keys(count);
            check(&format!("{{{before}\"k1\":1}}"), &format!("duplicate key at {}", before.len() + 2));
            assert_eq!(object(format!("{{{before}\"other\":1}}").as_bytes()).unwrap().len(), count + 1);
        }
    }

    #[test]
    fn sixty_four_deep_is_read_and_deeper_is_not() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(object(nested(63).as_bytes()).is_ok());
        check(&nested(64), "nested too deep at 69");
        check(&nested(100_000), "nested too deep at 69");
    }

    proptest! {
        /// Another reader of JSON is the twin: what it takes, this one takes with the same texts, and it takes nothing
        /// more, except that it minds neither keys that stand twice nor NUL.
        #[test]
        fn lines_are_read_as_another_reader_reads_them(line in r#"\{("[ab]":("[x\\"nu0\PC]{0,4}"|-?[0-9]{1,3}(\.[0-9]{1,2})?(e-?[0-9])?|true|null|\[1?\]|[0-9a-z,]{0,3}),?){0,3}\}"#) {
            let theirs = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&line);
            match (object(line.as_bytes()), theirs) {
                (Ok(members), Ok(theirs)) => {
                    prop_assert_eq!(members.len(), theirs.len());
                    for (key, value) in &members {
                        let their = &theirs[key.as_ref()];
                        prop_assert_eq!(value.kind.is_none(), their.is_null());
                        prop_assert_eq!(value.kind == Some(FieldKind::Text), their.is_string());
                        prop_assert!(their.as_str().is_none_or(|text| text == value.text));
                    }
                }
                (Err(_), Err(_)) => {}
                (Err(LineFault { fault: JsonFault::DuplicateKey(_) | JsonFault::Nul, .. }), Ok(_)) => {}
                (ours, theirs) => prop_assert!(false, "{ours:?} but {theirs:?}"),
            }
        }
    }
}
