//! Values that can stand in a header: nothing in them can end the header and begin another.

use std::fmt;

/// Below the 998 octets of a line (RFC 5322, 2.1.1) by more than the longest header name.
const LONGEST_VALUE: usize = 900;

/// The text of a header: one line, without control characters, at most 900 octets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HeaderValue(String);

/// Why a text cannot stand in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// A line end, NUL or another control character, at this place (in characters, from one).
    #[error("holds the control character {character:?} at place {place}; it would end the header")]
    Control {
        /// The character.
        character: char,
        /// Its place in characters, from one.
        place: usize,
    },
    /// More octets than a header line may hold.
    #[error("is {0} octets long; at most 900 fit in a header")]
    TooLong(usize),
}

impl HeaderValue {
    /// Checks `text`; nothing is taken away or replaced.
    ///
    /// # Errors
    /// [`HeaderError`] if it holds CR, LF, NUL or another control character but the tab, or is too long.
    pub fn new(text: &str) -> Result<Self, HeaderError> {
        if let Some((index, character)) = text.chars().enumerate().find(|(_, c)| c.is_control() && *c != '\t') {
            return Err(HeaderError::Control { character, place: index + 1 });
        }
        if text.len() > LONGEST_VALUE { Err(HeaderError::TooLong(text.len())) } else { Ok(Self(text.to_owned())) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message's id without its angle brackets: `5f1c…@shop.example`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageId(String);

/// A text is no message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a message id; expected key@domain in letters, digits and dots, at most 250 octets")]
pub struct MessageIdError;

impl MessageId {
    /// The id `key@domain`; the same key and domain give the same id, always.
    ///
    /// # Errors
    /// [`MessageIdError`] if one of the two is not a dot-atom (RFC 5322, 3.2.3) or both are above 250 octets.
    pub fn new(key: &str, domain: &str) -> Result<Self, MessageIdError> {
        let fits = key.len() + domain.len() < 250;
        if fits && is_dot_atom(key) && is_dot_atom(domain) {
            Ok(Self(format!("{key}@{domain}")))
        } else {
            Err(MessageIdError)
        }
    }

    /// The id without angle brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a recipient unsubscribes: stands in the message and in `List-Unsubscribe`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsubscribeLink(String);

/// Why a text is no link to unsubscribe at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Neither `https:`, `http:` nor `mailto:`.
    #[error("the unsubscribe link must begin with https://, http:// or mailto:")]
    Scheme,
    /// A character that would end the link or the header.
    #[error("the unsubscribe link holds {0:?}; percent-encode it")]
    Character(char),
    /// More octets than a header line may hold.
    #[error("the unsubscribe link is {0} octets long; at most 900 fit in a header")]
    TooLong(usize),
}

impl UnsubscribeLink {
    /// Checks `url`.
    ///
    /// # Errors
    /// [`LinkError`] if it has another scheme, a blank, an angle bracket, a comma, a quote or a character outside
    /// ASCII, or is too long.
    pub fn new(url: &str) -> Result<Self, LinkError> {
        if let Some(character) = url.chars().find(|c| !c.is_ascii_graphic() || "<>,\"'".contains(*c)) {
            return Err(LinkError::Character(character));
        }
        if !["https://", "http://", "mailto:"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(LinkError::Scheme);
        }
        if url.len() > LONGEST_VALUE { Err(LinkError::TooLong(url.len())) } else { Ok(Self(url.to_owned())) }
    }

    /// The link.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if one POST to it unsubscribes; RFC 8058 demands `https` for that.
    pub fn is_one_click(&self) -> bool {
        self.0.starts_with("https://")
    }
}

/// Letters, digits and the marks of RFC 5322's `atext`, in runs separated by single dots.
pub(crate) fn is_dot_atom(text: &str) -> bool {
    let is_atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    text.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_end_its_header() {
        assert_eq!(
            HeaderValue::new("Jan\r\nBcc: eve@evil.example"),
            Err(HeaderError::Control { character: '\r', place: 4 })
        );
        for character in ['\n', '\r', '\0', '\u{b}', '\u{1b}', '\u{85}'] {
            assert!(HeaderValue::new(&format!("Jan{character}")).is_err(), "{character:?}");
        }
        assert_eq!(HeaderValue::new(&"a".repeat(901)), Err(HeaderError::TooLong(901)));
        assert!(HeaderValue::new("Bcc: Zoë, 50 % korting\tnu").is_ok());
    }

    #[test]
    fn a_message_id_is_two_dot_atoms() {
        let id = |key, domain| MessageId::new(key, domain).map(|id| id.to_string());
        assert_eq!(id("0a1b", "shop.example"), Ok("0a1b@shop.example".to_owned()));
        for (key, domain) in
            [("", "shop.example"), ("a>b", "shop.example"), ("a\r\nb", "x"), ("a", "sh op"), ("a@b", "x")]
        {
            assert_eq!(id(key, domain), Err(MessageIdError), "{key:?} {domain:?}");
        }
    }

    #[test]
    fn a_link_cannot_leave_its_brackets() {
        let check = |url: &str, error| assert_eq!(UnsubscribeLink::new(url), Err(error), "{url:?}");
        check("javascript:alert(1)", LinkError::Scheme);
        check("https://shop.example/u>, <mailto:eve@evil.example", LinkError::Character('>'));
        check("https://shop.example/\r\nBcc:x", LinkError::Character('\r'));
        check("https://shop.example/ü", LinkError::Character('ü'));
        check("https://shop.example/'onclick='x", LinkError::Character('\''));
        assert!(UnsubscribeLink::new("https://shop.example/u/t0k3n?x=1").is_ok_and(|link| link.is_one_click()));
        assert!(UnsubscribeLink::new("mailto:off@shop.example").is_ok_and(|link| !link.is_one_click()));
    }
}
