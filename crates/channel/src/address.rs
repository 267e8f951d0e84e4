//! Addresses that can stand on a wire: what is not one is refused, never mended.
//!
//! Only the plain dot-atom subset of RFC 5321 is accepted: no quoted local parts, comments, source routes or address
//! literals. International addresses are refused with a reason of their own, so that they can be counted.

use std::fmt;

use crate::header::{HeaderError, HeaderValue, is_dot_atom};

const LONGEST_ADDRESS: usize = 254;
const LONGEST_LOCAL_PART: usize = 64;
const LONGEST_LABEL: usize = 63;

/// An address that mail is sent to: `jan@example.nl`, domain in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmailAddress {
    text: String,
    at: usize,
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Above 254 octets.
    #[error("the address is {0} octets long; at most 254 are possible")]
    TooLong(usize),
    /// Letters outside ASCII, which need SMTPUTF8 or a domain in A-labels.
    #[error("the address holds letters outside ASCII; international addresses are not supported yet")]
    NotAscii,
    /// A blank, a line end or another character that no plain address holds.
    #[error("the address holds {0:?}; expected a plain address like name@example.nl")]
    Character(char),
    /// None or several `@`.
    #[error("the address holds {0} times \"@\"; expected exactly one")]
    At(usize),
    /// The part before the `@` is empty, above 64 octets, or has a dot where none may be.
    #[error("the part before the \"@\" is not a plain name")]
    LocalPart,
    /// The part after the `@` is no host name of at least two labels.
    #[error("the part after the \"@\" is not a domain")]
    Domain,
}

impl EmailAddress {
    /// Reads an address as it stands in the data.
    ///
    /// # Errors
    /// [`AddressError`] for whatever is not a plain address; blanks around it are not taken away.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > LONGEST_ADDRESS {
            return Err(AddressError::TooLong(text.len()));
        }
        if let Some(character) = text.chars().find(|c| c.is_control() || " \t\"(),:;<>[\\]".contains(*c)) {
            return Err(AddressError::Character(character));
        }
        if !text.is_ascii() {
            return Err(AddressError::NotAscii);
        }
        let ats = text.matches('@').count();
        let (local, domain) = text.split_once('@').filter(|_| ats == 1).ok_or(AddressError::At(ats))?;
        check_local_part(local)?;
        check_domain(domain)?;
        Ok(Self { text: format!("{local}@{}", domain.to_ascii_lowercase()), at: local.len() })
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`, its capitals kept.
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }
}

fn check_local_part(local: &str) -> Result<(), AddressError> {
    if local.len() <= LONGEST_LOCAL_PART && is_dot_atom(local) { Ok(()) } else { Err(AddressError::LocalPart) }
}

/// A last label of digits only would be an address literal without its brackets.
fn check_domain(domain: &str) -> Result<(), AddressError> {
    let labels: Vec<&str> = domain.split('.').collect();
    let numeric = labels.last().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    if labels.len() >= 2 && !numeric && labels.iter().all(|label| is_label(label)) {
        Ok(())
    } else {
        Err(AddressError::Domain)
    }
}

fn is_label(label: &str) -> bool {
    let inner = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    inner && (1..=LONGEST_LABEL).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A sender with a name: `Shop <news@shop.example>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// What recipients see, where there is one.
    pub name: Option<HeaderValue>,
    /// Where answers go.
    pub address: EmailAddress,
}

/// Why a text is no mailbox.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// The address is none.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The name cannot stand in a header.
    #[error("the name {0}")]
    Name(#[from] HeaderError),
    /// A `<` without its `>`.
    #[error("\"<\" and \">\" must surround the address at the end")]
    Brackets,
}

impl Mailbox {
    /// Reads `Name <address>`, `"Name" <address>` or a bare address.
    ///
    /// # Errors
    /// [`MailboxError`] where it is none of these.
    pub fn parse(text: &str) -> Result<Self, MailboxError> {
        let Some((name, rest)) = text.trim().split_once('<') else {
            return Ok(Self { name: None, address: EmailAddress::parse(text.trim())? });
        };
        let address = rest.strip_suffix('>').ok_or(MailboxError::Brackets)?;
        let name = name.trim().trim_matches('"');
        let name = if name.is_empty() { None } else { Some(HeaderValue::new(name)?) };
        Ok(Self { name, address: EmailAddress::parse(address)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_address_is_kept_with_its_domain_in_lower_case() {
        let address = EmailAddress::parse("Jan.de-Vries+shop@Example.NL").expect("this is an address");
        assert_eq!(address.as_str(), "Jan.de-Vries+shop@example.nl");
        assert_eq!((address.local_part(), address.domain()), ("Jan.de-Vries+shop", "example.nl"));
        for text in ["a@b.nl", "o'brien@x-y.example", "a_b@1and1.com", "x@xn--mnchen-3ya.de"] {
            assert!(EmailAddress::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_plain_address_is_refused_and_never_mended() {
        let check = |text: &str, error: AddressError| assert_eq!(EmailAddress::parse(text), Err(error), "{text:?}");
        check("jan@example.nl\r\nRCPT TO:<eve@evil.example>", AddressError::Character('\r'));
        check("jan@example.nl\nBcc: eve@evil.example", AddressError::Character('\n'));
        check("jan\0@example.nl", AddressError::Character('\0'));
        check("\"a b\"@example.nl", AddressError::Character('"'));
        check("jan(comment)@example.nl", AddressError::Character('('));
        check("@relay.example:jan@example.nl", AddressError::Character(':'));
        check("<jan@example.nl>", AddressError::Character('<'));
        check(" jan@example.nl", AddressError::Character(' '));
        check("jan@[127.0.0.1]", AddressError::Character('['));
        check("jan@127.0.0.1", AddressError::Domain);
        check("jan@example.nl@evil.example", AddressError::At(2));
        check("jan.example.nl", AddressError::At(0));
        check("jan@example.nl.", AddressError::Domain);
        check("jan@localhost", AddressError::Domain);
        check("jan@-example.nl", AddressError::Domain);
        check("jan@exam_ple.nl", AddressError::Domain);
        check("jan@example..nl", AddressError::Domain);
        check("@example.nl", AddressError::LocalPart);
        check(".jan@example.nl", AddressError::LocalPart);
        check("jan..p@example.nl", AddressError::LocalPart);
        check("jan.@example.nl", AddressError::LocalPart);
        check("jan@münchen.example", AddressError::NotAscii);
        check("jürgen@example.de", AddressError::NotAscii);
        check(&format!("{}@example.nl", "a".repeat(65)), AddressError::LocalPart);
        check(&format!("a@{}.nl", "b".repeat(64)), AddressError::Domain);
        check(&format!("a@{}nl", "bcd.".repeat(70)), AddressError::TooLong(284));
    }

    #[test]
    fn a_sender_has_a_name_or_none() {
        let name = |text| Mailbox::parse(text).map(|mailbox| mailbox.name.map(|name| name.as_str().to_owned()));
        assert_eq!(name("Shop <news@shop.example>"), Ok(Some("Shop".to_owned())));
        assert_eq!(name("\"Shop, the\" <news@shop.example>"), Ok(Some("Shop, the".to_owned())));
        assert_eq!(name("news@shop.example"), Ok(None));
        assert_eq!(name("<news@shop.example>"), Ok(None));
        assert_eq!(name("Shop <news@shop.example"), Err(MailboxError::Brackets));
        assert!(matches!(name("Shop\nBcc: x <news@shop.example>"), Err(MailboxError::Name(_))));
        assert!(matches!(name("Shop <news>"), Err(MailboxError::Address(AddressError::At(0)))));
    }
}
