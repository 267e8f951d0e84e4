//! An SMTP reply: its code, its enhanced status, its words.

use std::fmt;

/// Longest text of a reply that is kept, in characters: enough for every explanation, too short to flood a ledger.
const KEPT_TEXT: usize = 500;

/// What the other side answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    lines: Vec<String>,
}

/// An enhanced status code (RFC 3463): `5.1.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnhancedStatus {
    /// 2 success, 4 temporary, 5 permanent.
    pub class: u8,
    /// What it is about: 1 address, 2 mailbox, 3 system, 4 network, 5 protocol, 6 content, 7 policy.
    pub subject: u16,
    /// Which of them.
    pub detail: u16,
}

impl Reply {
    /// A reply of code 250 that a channel without a server gives in its own name.
    pub(crate) fn of_our_own(text: &str) -> Self {
        Self { code: 250, lines: vec![text.to_owned()] }
    }

    /// Reads the lines of one reply, without their line ends; `None` if they are none (RFC 5321, 4.2.1).
    pub(crate) fn parse(lines: &[String]) -> Option<Self> {
        let (last, before) = lines.split_last()?;
        let (code, end, _) = parts(last)?;
        let whole =
            end != Some('-') && before.iter().all(|line| matches!(parts(line), Some((c, Some('-'), _)) if c == code));
        let lines = lines.iter().filter_map(|line| parts(line)).map(|(_, _, text)| printable(text)).collect();
        whole.then_some(Self { code, lines })
    }

    /// True if more lines of the same reply follow after `line`.
    pub(crate) fn continues(line: &str) -> bool {
        matches!(parts(line), Some((_, Some('-'), _)))
    }

    /// The three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced status at the start of the text, where there is one of the code's own class.
    pub fn status(&self) -> Option<EnhancedStatus> {
        let mut numbers = self.lines.first()?.split(' ').next()?.split('.').map(|number| number.parse::<u16>().ok());
        let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let whole = numbers.next().is_none() && class == self.code / 100;
        whole.then_some(EnhancedStatus { class: u8::try_from(class).ok()?, subject, detail })
    }

    /// Its words, one line each, without control characters.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// True for 2yz: done.
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// True for 5yz: do not try again.
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.lines.join(" ").chars().take(KEPT_TEXT).collect();
        write!(f, "{} {text}", self.code)
    }
}

/// Code, what follows it (`-`, blank or nothing), and the text.
fn parts(line: &str) -> Option<(u16, Option<char>, &str)> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code = digits.parse().ok().filter(|code| (200..600).contains(code))?;
    let separator = rest.chars().next();
    let text = rest.get(1..).unwrap_or_default();
    matches!(separator, None | Some(' ' | '-')).then_some((code, separator, text))
}

/// A reply is shown on terminals and in tables: what it says must not steer them.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &[&str]) -> Option<Reply> {
        Reply::parse(&lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_lines_of_a_reply_share_one_code() {
        let reply = parse(&["250-sink at your service", "250-8BITMIME", "250 STARTTLS"]).expect("this is a reply");
        assert_eq!((reply.code(), reply.lines().len()), (250, 3));
        for broken in [&["250-a", "251 b"][..], &["250-a"], &["25 a"], &["250_a"], &["abc"], &["999 a"], &[]] {
            assert_eq!(parse(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn a_status_has_three_numbers_and_the_class_of_the_code() {
        let status = |line| parse(&[line]).and_then(|reply| reply.status()).map(|s| (s.class, s.subject, s.detail));
        assert_eq!(status("550 5.1.1 unknown"), Some((5, 1, 1)));
        assert_eq!(status("550 5.1.10"), Some((5, 1, 10)));
        assert_eq!(status("550 4.1.1 unknown"), None);
        assert_eq!(status("550 5.1 unknown"), None);
        assert_eq!(status("550 5.1.1.1 unknown"), None);
        assert_eq!(status("250"), None);
    }

    #[test]
    fn a_reply_cannot_steer_a_terminal() {
        let reply = parse(&["550 \u{1b}[2Jgone\u{7}"]).expect("this is a reply");
        assert_eq!(reply.to_string(), "550 [2Jgone");
    }
}
