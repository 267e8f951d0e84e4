//! One contract over all channels: the same cases through each of them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use muster_channel::{Channel, ComposeError, Console, Outcome};
use serde_json::json;

use crate::fake::Fake;
use crate::world::{compose, compose_for, message, smtp, templates};

/// A channel, and who has received what over it.
struct Case {
    channel: Box<dyn Channel>,
    recipients: Box<dyn Fn() -> Vec<String>>,
}

/// Every channel there is, each fresh.
fn cases() -> Vec<Case> {
    vec![console(), email()]
}

fn console() -> Case {
    let paper = Paper::default();
    let channel = Box::new(Console::to("console", templates(), Box::new(paper.clone())));
    Case { channel, recipients: Box::new(move || paper.recipients()) }
}

fn email() -> Case {
    let server = Fake::start(Vec::new());
    Case { channel: Box::new(smtp(server.port)), recipients: Box::new(move || server.recipients()) }
}

/// What a console prints on.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("nobody panics while printing")).into_owned()
    }

    fn recipients(&self) -> Vec<String> {
        let text = self.text();
        text.lines().filter_map(|line| line.strip_prefix("to ")?.split(':').next()).map(str::to_owned).collect()
    }
}

impl Write for Paper {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics while printing").write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_handed_over_arrives_once_and_in_order() {
    for Case { channel, recipients } in cases() {
        let mut connection = channel.open();
        for address in ["a@example.nl", "b@example.nl", "c@example.nl"] {
            let outcome = connection.send(&message(&*channel, address));
            assert!(matches!(outcome, Outcome::Sent { .. }), "{}: {outcome:?}", channel.name());
        }
        connection.close();
        assert_eq!(recipients(), ["a@example.nl", "b@example.nl", "c@example.nl"], "{}", channel.name());
    }
}

#[test]
fn a_closed_connection_opens_again_for_the_next_message() {
    for Case { channel, recipients } in cases() {
        let mut connection = channel.open();
        connection.send(&message(&*channel, "a@example.nl"));
        connection.close();
        connection.close();
        connection.send(&message(&*channel, "b@example.nl"));
        assert_eq!(recipients(), ["a@example.nl", "b@example.nl"], "{}", channel.name());
    }
}

#[test]
fn nothing_is_connected_or_written_before_the_first_message() {
    for Case { channel, recipients } in cases() {
        drop(channel.open());
        channel.open().close();
        assert!(recipients().is_empty(), "{}", channel.name());
        assert!(channel.connections() >= 1, "{}", channel.name());
    }
}

#[test]
fn the_same_draft_gives_the_same_message_over_all_attempts() {
    for Case { channel, .. } in cases() {
        let (first, second) = (message(&*channel, "a@example.nl"), message(&*channel, "a@example.nl"));
        assert_eq!(first, second, "{}", channel.name());
        let id = format!("0a1b2c@{}", channel.domain());
        assert_eq!(first.id().as_str(), id);
        assert!(
            String::from_utf8_lossy(first.bytes()).contains(&format!("Message-ID: <{id}>\r\n")),
            "{}",
            channel.name()
        );
    }
}

#[test]
fn whoever_cannot_be_written_to_is_skipped_with_the_rule() {
    let long = format!("{}@example.nl", "a".repeat(260));
    let addresses = [
        (None, "no address"),
        (Some(""), "no address"),
        (Some("jan@example.nl\r\nRCPT TO:<eve@evil.example>"), "invalid address"),
        (Some("jan\0@example.nl"), "invalid address"),
        (Some("\"a b\"@example.nl"), "invalid address"),
        (Some("@relay.example:jan@example.nl"), "invalid address"),
        (Some("jan@@example.nl"), "invalid address"),
        (Some("jan@[127.0.0.1]"), "invalid address"),
        (Some("jan@example.nl."), "invalid address"),
        (Some(long.as_str()), "invalid address"),
        (Some("jürgen@example.de"), "eai"),
    ];
    for Case { channel, .. } in cases() {
        for (address, rule) in addresses {
            let composed = compose_for(&*channel, address, json!({ "first_name": "Jan" }));
            let skipped = matches!(&composed, Err(ComposeError::Skip(skip)) if skip.rule() == rule);
            assert!(skipped, "{} {address:?}: {composed:?}", channel.name());
        }
    }
}

#[test]
fn no_value_from_data_adds_a_header() {
    for Case { channel, .. } in cases() {
        for name in ["Jan\r\nBcc: eve@evil.example", "Jan\nX-Evil: 1", "Jan\rBcc: x", "Jan\0"] {
            let composed = compose_for(&*channel, Some("jan@example.nl"), json!({ "first_name": name }));
            let skipped = matches!(&composed, Err(ComposeError::Skip(skip)) if skip.rule() == "render");
            assert!(skipped, "{} {name:?}: {composed:?}", channel.name());
        }
        let harmless = compose_for(&*channel, Some("jan@example.nl"), json!({ "first_name": "Bcc: eve@evil.example" }));
        let harmless = harmless.expect("a colon ends nothing");
        let bytes = String::from_utf8_lossy(harmless.bytes()).into_owned();
        assert!(!bytes.lines().any(|line| line.starts_with("Bcc:")), "{bytes}");
    }
}

#[test]
fn an_empty_field_without_a_default_skips_the_profile_and_names_the_place() {
    for Case { channel, .. } in cases() {
        for profile in [json!({ "first_name": null }), json!({})] {
            let error = compose_for(&*channel, Some("jan@example.nl"), profile).expect_err("the name is missing");
            assert!(matches!(&error, ComposeError::Skip(skip) if skip.rule() == "render"), "{error:?}");
            assert!(error.to_string().starts_with("templates/welcome.nl.txt line 2, column 20: "), "{error}");
        }
    }
}

#[test]
fn a_message_that_nobody_can_be_sent_stops_the_step() {
    for case in [console(), email()] {
        let id = muster_channel::MessageId::new("0a1b2c", case.channel.domain()).unwrap();
        let context = crate::world::context(json!({ "first_name": "Jan" }));
        let draft = muster_channel::Draft {
            template: "welcom",
            language: None,
            address: Some("jan@example.nl"),
            id: &id,
            date: muster_catalog::Timestamp::from_micros(0),
            context: &context,
        };
        let error = case.channel.compose(&draft).expect_err("there is no such template");
        assert!(matches!(error, ComposeError::Stop(_)), "{error:?}");
        assert_eq!(error.to_string(), "there is no template \"welcom\"; did you mean \"welcome\"?");
    }
}

#[test]
fn the_console_shows_whom_what_and_the_first_lines() {
    let paper = Paper::default();
    let console = Console::to("console", templates(), Box::new(paper.clone()));
    let profile = json!({ "first_name": "Zoë" });
    let message = compose_for(&console, Some("zoe@example.nl"), profile).expect("she can be written to");
    console.open().send(&message);
    let expected =
        "to zoe@example.nl: Welkom Zoë\n    Beste Zoë,\n    Dag!\n    Afmelden: https://shop.example/u/t0k3n\n";
    assert_eq!(paper.text(), expected);
}

#[test]
fn a_console_that_breaks_leaves_the_message_uncertain() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let console = Console::to("console", templates(), Box::new(Broken));
    let message = compose(&console, "jan@example.nl").unwrap();
    assert!(matches!(console.open().send(&message), Outcome::Uncertain { .. }));
}
