//! The small world of the tests: one template, one profile, one sender.

use std::sync::Arc;
use std::time::Duration;

use muster_catalog::{Timestamp, Tls};
use muster_channel::{
    Channel, ComposeError, Context, Draft, Links, Message, MessageId, Smtp, SmtpSettings, Templates, Timers,
    UnsubscribeLink,
};
use serde_json::{Map, Value, json};

/// `welcome` in Dutch, with text and HTML.
pub fn templates() -> Arc<Templates> {
    let text = "---\nsubject: Welkom {{ profile.first_name }}\n---\nBeste {{ profile.first_name }},\n\nDag!\n\nAfmelden: {{ links.unsubscribe }}\n";
    let html = "<p>Beste {{ profile.first_name }}</p>\n<a href=\"{{ links.unsubscribe }}\">Afmelden</a>\n";
    of(&[("welcome.nl.txt", text), ("welcome.nl.html", html)])
}

pub fn of(files: &[(&str, &str)]) -> Arc<Templates> {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    Arc::new(Templates::from_texts(files).unwrap_or_else(|error| panic!("{error}")))
}

pub fn context(profile: Value) -> Context {
    let Value::Object(profile) = profile else { panic!("a profile is an object") };
    let link = UnsubscribeLink::new("https://shop.example/u/t0k3n").expect("this is a link");
    Context { profile, journey: Map::new(), campaign: Map::new(), links: Links { unsubscribe: Some(link) } }
}

/// Settings for a server at `port` of this machine that answers within half a second or never.
pub fn settings(port: u16) -> SmtpSettings {
    let soon = Duration::from_millis(500);
    let timers = Timers { connect: soon, command: soon, data: soon, block: soon, terminator: soon, quit: soon };
    SmtpSettings {
        host: "localhost".to_owned(),
        port,
        from: "Shop <news@shop.example>".to_owned(),
        tls: Tls::None,
        login: None,
        connections: 2,
        timers,
        authorities: Vec::new(),
    }
}

pub fn smtp(port: u16) -> Smtp {
    Smtp::new("email", settings(port), templates()).expect("these settings work")
}

/// The message `welcome` to Jan at `address`.
pub fn compose(channel: &dyn Channel, address: &str) -> Result<Message, ComposeError> {
    compose_for(channel, Some(address), json!({ "first_name": "Jan" }))
}

pub fn compose_for(channel: &dyn Channel, address: Option<&str>, profile: Value) -> Result<Message, ComposeError> {
    let id = MessageId::new("0a1b2c", channel.domain()).expect("this is an id");
    // 2025-06-30T10:00:00Z
    let date = Timestamp::from_micros(1_751_277_600_000_000);
    let context = context(profile);
    channel.compose(&Draft { template: "welcome", language: Some("nl"), address, id: &id, date, context: &context })
}

pub fn message(channel: &dyn Channel, address: &str) -> Message {
    compose(channel, address).unwrap_or_else(|error| panic!("{error}"))
}
