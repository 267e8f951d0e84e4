//! The commands of SMTP (RFC 5321 §4.1) as the sink reads them: one line of text to one `Command`.
//!
//! Only the grammar is here; what a command means at which moment is `conversation`'s.

/// What a client says outside the content of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// The client knows extensions.
    Ehlo,
    /// The client knows none.
    Helo,
    /// A message begins; `size` is what the client says of its length in bytes.
    Mail { size: Option<usize> },
    /// One more recipient.
    Rcpt { recipient: String },
    /// The content follows.
    Data,
    /// Forget the message that was begun.
    Rset,
    /// Say something.
    Noop,
    /// Whether an address exists, which no server tells.
    Vrfy,
    /// The end.
    Quit,
    /// Known verb, unreadable rest; the text says what was expected.
    Malformed(&'static str),
    /// Something else.
    Unknown,
}

/// Reads one command line, without its CRLF.
pub(super) fn command(line: &str) -> Command {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" if !rest.trim().is_empty() => Command::Ehlo,
        "HELO" if !rest.trim().is_empty() => Command::Helo,
        "EHLO" | "HELO" => Command::Malformed("expected EHLO and a name"),
        "MAIL" => mail(rest),
        "RCPT" => rcpt(rest),
        "DATA" => Command::Data,
        "RSET" => Command::Rset,
        "NOOP" => Command::Noop,
        "VRFY" => Command::Vrfy,
        "QUIT" => Command::Quit,
        _ => Command::Unknown,
    }
}

fn mail(rest: &str) -> Command {
    match path(rest, "FROM:") {
        Some((_, parameters)) => Command::Mail { size: size(parameters) },
        None => Command::Malformed("expected MAIL FROM:<address>"),
    }
}

fn rcpt(rest: &str) -> Command {
    match path(rest, "TO:") {
        Some((recipient, _)) if is_address(recipient) => Command::Rcpt { recipient: recipient.to_owned() },
        _ => Command::Malformed("expected RCPT TO:<address>"),
    }
}

/// What stands between the angle brackets after `keyword`, and what follows them.
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let head = rest.get(..keyword.len())?;
    let after = head.eq_ignore_ascii_case(keyword).then(|| rest[keyword.len()..].trim_start())?;
    after.strip_prefix('<')?.split_once('>')
}

/// Enough of an address to keep in a journal between tabs.
fn is_address(text: &str) -> bool {
    text.len() <= 254 && text.split_once('@').is_some() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn size(parameters: &str) -> Option<usize> {
    parameters.split_ascii_whitespace().find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("SIZE").then(|| value.parse().ok())?
    })
}

/// The `Message-ID` of a message, unfolded, with its brackets; empty where there is none.
pub(super) fn message_id(content: &[u8]) -> String {
    let head = head(content);
    let mut lines = head.split('\n').map(|line| line.trim_end_matches('\r'));
    let Some(first) = lines.find_map(|line| header_value(line, "message-id")) else {
        return String::new();
    };
    let folded = lines.take_while(|line| line.starts_with([' ', '\t']));
    let value: String = std::iter::once(first).chain(folded).map(str::trim).collect();
    value.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// The lines before the first empty one.
fn head(content: &[u8]) -> std::borrow::Cow<'_, str> {
    let end = content.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(content.len());
    String::from_utf8_lossy(&content[..end])
}

fn header_value<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (header, value) = line.split_once(':')?;
    header.trim_end().eq_ignore_ascii_case(name).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_read_whatever_its_capitals() {
        let rcpt = |recipient: &str| Command::Rcpt { recipient: recipient.to_owned() };
        for (line, expected) in [
            ("EHLO shop.example", Command::Ehlo),
            ("helo [127.0.0.1]", Command::Helo),
            ("EHLO", Command::Malformed("expected EHLO and a name")),
            ("MAIL FROM:<a@b.nl>", Command::Mail { size: None }),
            ("mail from:<> BODY=8BITMIME size=1024", Command::Mail { size: Some(1024) }),
            ("MAIL a@b.nl", Command::Malformed("expected MAIL FROM:<address>")),
            ("RCPT TO:<Ann@b.nl>", rcpt("Ann@b.nl")),
            ("RCPT TO: <ann@b.nl>", rcpt("ann@b.nl")),
            ("RCPT TO:<ann>", Command::Malformed("expected RCPT TO:<address>")),
            ("RCPT TO:<a\tnn@b.nl>", Command::Malformed("expected RCPT TO:<address>")),
            ("RCPT", Command::Malformed("expected RCPT TO:<address>")),
            ("quit", Command::Quit),
            ("STARTTLS", Command::Unknown),
            ("", Command::Unknown),
        ] {
            assert_eq!(command(line), expected, "{line}");
        }
    }

    #[test]
    fn the_message_id_is_found_in_the_head_only() {
        for (content, expected) in [
            ("Subject: x\r\nMessage-ID: <1@shop>\r\n\r\nbody", "<1@shop>"),
            ("message-id:\r\n <2@shop>\r\nSubject: x\r\n\r\n", "<2@shop>"),
            ("Subject: x\r\n\r\nMessage-ID: <3@shop>\r\n", ""),
            ("Message-ID: <4\t@shop>\r\n", "<4 @shop>"),
            ("", ""),
        ] {
            assert_eq!(message_id(content.as_bytes()), expected, "{content:?}");
        }
    }
}
