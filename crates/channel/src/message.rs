//! From a draft to a message, or the reason why there is none.

use muster_catalog::{Problem, Timestamp};

use crate::template::Rendered;
use crate::{
    AddressError, Context, EmailAddress, Error, HeaderError, HeaderValue, Mailbox, MessageId, NoLanguage, Templates,
    mime,
};

/// What the sender knows about one message before it is written.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// The template's name, without language and kind: `cart/still_in_cart`.
    pub template: &'a str,
    /// The profile's language, if known: `nl`, `nl-BE`.
    pub language: Option<&'a str>,
    /// The profile's address, as it stands in the data; absent where there is none.
    pub address: Option<&'a str>,
    /// Derived from the dedupe key: the same over all attempts at this message.
    pub id: &'a MessageId,
    /// The `Date` of the message.
    pub date: Timestamp,
    /// What the template sees.
    pub context: &'a Context,
}

/// A written message with its address and its id, ready to be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    id: MessageId,
    to: EmailAddress,
    subject: HeaderValue,
    text: String,
    content: mime::Content,
}

impl Message {
    /// The id that it carries as `Message-ID`.
    pub fn id(&self) -> &MessageId {
        &self.id
    }

    /// Whom it goes to.
    pub fn to(&self) -> &EmailAddress {
        &self.to
    }

    /// Its subject, decoded.
    pub fn subject(&self) -> &HeaderValue {
        &self.subject
    }

    /// Its plain text, decoded.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole message as it stands on the wire (RFC 5322): 7-bit, CRLF line ends only, no line above 998 octets.
    pub fn bytes(&self) -> &[u8] {
        self.content.as_bytes()
    }

    pub(crate) fn content(&self) -> &mime::Content {
        &self.content
    }
}

/// Why a draft did not become a message.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// This recipient is skipped, with the rule that did it.
    #[error(transparent)]
    Skip(#[from] Skip),
    /// The step stops: no recipient can be written to before a person has mended this.
    #[error(transparent)]
    Stop(Error),
}

/// Why one recipient is not written to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    /// The profile has no address.
    #[error("the profile has no address")]
    NoAddress,
    /// The address is not one that mail is sent to.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The template exists in no language that the profile reads.
    #[error(transparent)]
    Language(#[from] NoLanguage),
    /// The template cannot be rendered with this profile's data.
    #[error("{0}")]
    Render(Problem),
    /// The data would break out of the header that they stand in.
    #[error("the subject {0}")]
    Subject(#[from] HeaderError),
}

impl Skip {
    /// The rule's name in the ledger.
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::NoAddress => "no address",
            Self::Address(AddressError::NotAscii) => "eai",
            Self::Address(_) => "invalid address",
            Self::Language(_) => "language",
            Self::Render(_) | Self::Subject(_) => "render",
        }
    }
}

impl From<Error> for ComposeError {
    fn from(error: Error) -> Self {
        match error {
            Error::Render(problem) => Skip::Render(problem).into(),
            Error::NoLanguage(missing) => Skip::Language(missing).into(),
            error => Self::Stop(error),
        }
    }
}

/// Composes an e-mail from `sender`, with the unsubscribe link of the context in its headers.
pub(crate) fn email(templates: &Templates, sender: &Mailbox, draft: &Draft<'_>) -> Result<Message, ComposeError> {
    let to = recipient(draft.address)?;
    let Rendered { subject, text, html } = templates.render(draft.template, draft.language, draft.context)?;
    let subject = HeaderValue::new(&subject).map_err(Skip::Subject)?;
    let letter = mime::Letter {
        id: draft.id,
        from: sender,
        to: &to,
        subject: &subject,
        date: draft.date,
        unsubscribe: draft.context.links.unsubscribe.as_ref(),
        text: &text,
        html: html.as_deref(),
    };
    let content = letter.content()?;
    Ok(Message { id: draft.id.clone(), to, subject, text, content })
}

fn recipient(address: Option<&str>) -> Result<EmailAddress, Skip> {
    match address {
        None | Some("") => Err(Skip::NoAddress),
        Some(address) => Ok(EmailAddress::parse(address)?),
    }
}
