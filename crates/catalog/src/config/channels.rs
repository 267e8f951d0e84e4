//! `[channels.NAME]`: the ways out.

use super::section::{Keys, Section};
use crate::{Channel, SmtpChannel, Tls};

const CONSOLE: Keys = Keys { known: &["kind"], later: &[] };

const SMTP: Keys = Keys {
    known: &["kind", "host", "port", "from", "tls", "user", "password_env", "connections"],
    later: &["dkim", "return_path", "rate", "quiet_hours", "limits"],
};

#[derive(Clone, Copy)]
enum ChannelKind {
    Console,
    Smtp,
}

const KINDS: [(&str, ChannelKind); 2] = [("smtp", ChannelKind::Smtp), ("console", ChannelKind::Console)];

/// Kinds of the design that nothing sends over yet.
const LATER_KINDS: [&str; 5] = ["sms", "push", "webhook", "file", "pdf"];

const TLS: [(&str, Tls); 3] = [("none", Tls::None), ("starttls", Tls::StartTls), ("tls", Tls::Always)];

pub(super) fn read(section: &Section) -> Vec<Channel> {
    section.keys().into_iter().filter_map(|name| section.section(name)).filter_map(|channel| one(&channel)).collect()
}

fn one(section: &Section) -> Option<Channel> {
    if !section.has("kind") {
        section.problem(format!("`kind` is missing in {}; expected \"smtp\" or \"console\"", section.title()));
    }
    if LATER_KINDS.iter().any(|kind| section.says("kind", kind)) {
        section.problem_at("kind", format!("this `kind` in {} is not supported yet", section.title()), None);
        return None;
    }
    match section.one_of("kind", &KINDS)? {
        ChannelKind::Console => Some(console(section)),
        ChannelKind::Smtp => Some(Channel::Smtp(smtp(section))),
    }
}

fn console(section: &Section) -> Channel {
    section.only(&CONSOLE);
    Channel::Console { name: section.name().to_owned() }
}

fn smtp(section: &Section) -> SmtpChannel {
    section.only(&SMTP);
    check_login(section);
    SmtpChannel {
        name: section.name().to_owned(),
        host: section.required_word("host"),
        port: port(section),
        from: section.required_word("from"),
        tls: tls(section),
        user: section.word("user"),
        password_env: section.word("password_env"),
        connections: section.number("connections", 1..257).and_then(|number| number.try_into().ok()).unwrap_or(8),
    }
}

/// Half a login would be no login, found out only when the first message goes.
fn check_login(section: &Section) {
    for (half, other) in [("user", "password_env"), ("password_env", "user")] {
        if section.has(half) && !section.has(other) {
            section.problem_at(half, format!("`{half}` in {} needs `{other}` beside it", section.title()), None);
        }
    }
}

fn port(section: &Section) -> u16 {
    section.number("port", 1..65_536).and_then(|port| port.try_into().ok()).unwrap_or(587)
}

/// Without a word of the user the conversation is private, unless the server is this machine.
fn tls(section: &Section) -> Tls {
    let host = section.text("host").unwrap_or_default();
    let here = ["localhost", "127.0.0.1", "::1"].contains(&host.as_str());
    section.one_of("tls", &TLS).unwrap_or(if here { Tls::None } else { Tls::StartTls })
}
