//! A letter becomes the bytes of an RFC 5322 message; the only door to lettre.
//!
//! lettre folds and encodes headers and bodies; its SMTP client is not compiled in (see `smtp/mod.rs`). Nothing it
//! would make up by itself is left to it: date, id and MIME boundary are given, so equal letters give equal bytes.
//! Bodies are always quoted-printable. The result is [`Content`], which is checked once and then trusted.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{self, ContentTransferEncoding, ContentType, Header, HeaderName};
use lettre::message::{MultiPart, SinglePart};
use muster_catalog::Timestamp;

use crate::{EmailAddress, HeaderError, HeaderValue, Mailbox, MessageId, Skip, UnsubscribeLink};

/// `=_` cannot occur in quoted-printable text, so no body can hold this line, whatever it says.
const BOUNDARY: &str = "=_muster_alternative";

/// The longest line of a message without its line end (RFC 5322, 2.1.1).
const LONGEST_LINE: usize = 998;

/// What a message says, to whom and in whose name.
pub(crate) struct Letter<'a> {
    pub id: &'a MessageId,
    pub from: &'a Mailbox,
    pub to: &'a EmailAddress,
    pub subject: &'a HeaderValue,
    pub date: Timestamp,
    pub unsubscribe: Option<&'a UnsubscribeLink>,
    pub text: &'a str,
    pub html: Option<&'a str>,
}

impl Letter<'_> {
    /// The letter on the wire.
    ///
    /// # Errors
    /// [`Skip::Subject`] if the subject cannot be folded into lines that SMTP carries.
    pub fn content(&self) -> Result<Content, Skip> {
        let message = self.headers().multipart(self.alternatives());
        let message = message.expect("sender and recipient were checked, so the letter has both");
        Content::new(message.formatted()).ok_or(Skip::Subject(HeaderError::TooLong(self.subject.as_str().len())))
    }

    fn headers(&self) -> lettre::message::MessageBuilder {
        let builder = lettre::Message::builder()
            .from(mailbox(self.from.name.as_ref(), &self.from.address))
            .to(mailbox(None, self.to))
            .subject(self.subject.as_str())
            .header(header::Date::new(UNIX_EPOCH + Duration::from_secs(seconds(self.date))))
            .message_id(Some(format!("<{}>", self.id)));
        match self.unsubscribe {
            None => builder,
            Some(link) if link.is_one_click() => builder.header(ListUnsubscribe(bracketed(link))).header(OneClick),
            Some(link) => builder.header(ListUnsubscribe(bracketed(link))),
        }
    }

    /// The plain text first: readers take the last alternative that they can show.
    fn alternatives(&self) -> MultiPart {
        let alternatives =
            MultiPart::alternative().boundary(BOUNDARY).singlepart(part(ContentType::TEXT_PLAIN, self.text));
        match self.html {
            Some(html) => alternatives.singlepart(part(ContentType::TEXT_HTML, html)),
            None => alternatives,
        }
    }
}

fn part(content_type: ContentType, body: &str) -> SinglePart {
    let body = body.replace("\r\n", "\n").replace('\r', "\n");
    SinglePart::builder().header(content_type).header(ContentTransferEncoding::QuotedPrintable).body(body)
}

fn mailbox(name: Option<&HeaderValue>, address: &EmailAddress) -> lettre::message::Mailbox {
    let address = lettre::Address::new(address.local_part(), address.domain());
    let address = address.expect("a plain dot-atom address is one for lettre too");
    lettre::message::Mailbox::new(name.map(|name| name.as_str().to_owned()), address)
}

/// `Date` begins in 1970 for lettre; a campaign of the past before that is not a campaign.
fn seconds(date: Timestamp) -> u64 {
    u64::try_from(date.micros().div_euclid(1_000_000)).unwrap_or(0)
}

fn bracketed(link: &UnsubscribeLink) -> String {
    format!("<{}>", link.as_str())
}

/// RFC 2369: where to unsubscribe.
#[derive(Clone)]
struct ListUnsubscribe(String);

impl Header for ListUnsubscribe {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(text.to_owned()))
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), self.0.clone())
    }
}

/// RFC 8058: one POST to that place is enough.
#[derive(Clone)]
struct OneClick;

impl Header for OneClick {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "List-Unsubscribe=One-Click".to_owned())
    }
}

/// A message that any SMTP server reads as one message: 7-bit without NUL, CR and LF only as CRLF, lines of at most 998
/// octets, CRLF at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Content(Vec<u8>);

impl Content {
    /// Checks the bytes; `None` if they are not such a message.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        let lines = std::str::from_utf8(&bytes).ok()?.strip_suffix("\r\n")?.split("\r\n");
        let plain = |b: u8| b.is_ascii() && b != 0 && b != b'\r' && b != b'\n';
        let sound = lines.into_iter().all(|line| line.len() <= LONGEST_LINE && line.bytes().all(plain));
        sound.then_some(Self(bytes))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// With a dot put before every line that begins with one (RFC 5321, 4.5.2).
    pub fn dot_stuffed(&self) -> Vec<u8> {
        let mut stuffed = Vec::with_capacity(self.0.len() + 16);
        for line in self.0.split_inclusive(|&byte| byte == b'\n') {
            if line.starts_with(b".") {
                stuffed.push(b'.');
            }
            stuffed.extend_from_slice(line);
        }
        stuffed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_seven_bit_lines_that_end_in_crlf() {
        let sound = |bytes: &[u8]| Content::new(bytes.to_vec()).is_some();
        assert!(sound(b"Subject: x\r\n\r\n.\r\n"));
        assert!(!sound(b"no line end"));
        assert!(!sound(b"bare lf\n.\r\n"));
        assert!(!sound(b"bare cr\r.\r\n"));
        assert!(!sound(b"cr cr lf\r\r\n"));
        assert!(!sound(b"nul\0\r\n"));
        assert!(!sound("caf\u{e9}\r\n".as_bytes()));
        assert!(sound(&[&[b'a'; 998][..], b"\r\n"].concat()));
        assert!(!sound(&[&[b'a'; 999][..], b"\r\n"].concat()));
    }

    #[test]
    fn a_line_that_begins_with_a_dot_gets_another() {
        let content = Content::new(b".\r\n..a\r\nb.\r\n".to_vec()).expect("these are sound lines");
        assert_eq!(content.dot_stuffed(), b"..\r\n...a\r\nb.\r\n");
    }
}
