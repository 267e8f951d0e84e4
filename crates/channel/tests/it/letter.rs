//! The bytes of a message.

use muster_channel::{Channel, Context, Draft, Links, MessageId, UnsubscribeLink};
use serde_json::{Map, json};

use crate::fake::Fake;
use crate::world::{compose_for, context, message, smtp};

#[test]
fn a_message_is_these_bytes_and_no_others() {
    let channel = smtp(1);
    let expected = "From: Shop <news@shop.example>\r\n\
        To: jan@example.nl\r\n\
        Subject: Welkom Jan\r\n\
        Date: Mon, 30 Jun 2025 10:00:00 +0000\r\n\
        Message-ID: <0a1b2c@shop.example>\r\n\
        List-Unsubscribe: <https://shop.example/u/t0k3n>\r\n\
        List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative; boundary=\"=_muster_alternative\"\r\n\
        \r\n\
        --=_muster_alternative\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\
        \r\n\
        Beste Jan,\r\n\r\nDag!\r\n\r\nAfmelden: https://shop.example/u/t0k3n\r\n\
        --=_muster_alternative\r\n\
        Content-Type: text/html; charset=utf-8\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\
        \r\n\
        <p>Beste Jan</p>\r\n<a href=3D\"https://shop.example/u/t0k3n\">Afmelden</a>\r\n\
        --=_muster_alternative--\r\n";
    assert_eq!(String::from_utf8_lossy(message(&channel, "jan@example.nl").bytes()), expected);
}

#[test]
fn what_is_accepted_is_what_was_composed() {
    let server = Fake::start(Vec::new());
    let channel = smtp(server.port);
    let message = message(&channel, "jan@example.nl");
    channel.open().send(&message);
    assert_eq!(server.seen().accepted, [("jan@example.nl".to_owned(), message.bytes().to_vec())]);
}

#[test]
fn a_subject_outside_ascii_is_encoded_and_folded() {
    let channel = smtp(1);
    let name = "Zoë ".repeat(40);
    let message =
        compose_for(&channel, Some("zoe@example.nl"), json!({ "first_name": name })).expect("it can be folded");
    assert!(message.bytes().is_ascii());
    assert!(String::from_utf8_lossy(message.bytes()).contains("Subject: Welkom =?utf-8?b?"));
    assert!(message.bytes().split(|&byte| byte == b'\n').all(|line| line.len() <= 79));
}

#[test]
fn a_subject_of_one_endless_word_skips_the_profile() {
    let composed = compose_for(&smtp(1), Some("jan@example.nl"), json!({ "first_name": "a".repeat(901) }));
    let error = composed.expect_err("no line holds it").to_string();
    assert_eq!(error, "the subject is 908 octets long; at most 900 fit in a header");
}

#[test]
fn only_a_link_that_one_post_suffices_for_is_called_one_click() {
    let headers = |link: Option<&str>| {
        let channel = smtp(1);
        let id = MessageId::new("k", "shop.example").unwrap();
        let links = Links { unsubscribe: link.map(|link| UnsubscribeLink::new(link).unwrap()) };
        let context = Context { links, journey: Map::new(), ..context(json!({ "first_name": "Jan" })) };
        let templates = crate::world::of(&[("t.nl.txt", "---\nsubject: s\n---\nx")]);
        let channel = muster_channel::Smtp::new(channel.name(), crate::world::settings(1), templates).unwrap();
        let date = muster_catalog::Timestamp::from_micros(0);
        let draft =
            Draft { template: "t", language: None, address: Some("jan@example.nl"), id: &id, date, context: &context };
        let bytes = channel.compose(&draft).unwrap().bytes().to_vec();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().filter(|line| line.starts_with("List-")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(headers(None).is_empty());
    assert_eq!(headers(Some("mailto:off@shop.example")), ["List-Unsubscribe: <mailto:off@shop.example>"]);
    assert_eq!(headers(Some("https://shop.example/u")).len(), 2);
}

#[test]
fn a_sender_keeps_its_name_whatever_stands_in_it() {
    let from = |from: &str| {
        let settings = muster_channel::SmtpSettings { from: from.to_owned(), ..crate::world::settings(1) };
        let channel = muster_channel::Smtp::new("email", settings, crate::world::templates()).unwrap();
        let bytes = message(&channel, "jan@example.nl").bytes().to_vec();
        String::from_utf8(bytes).unwrap().lines().next().unwrap().to_owned()
    };
    assert_eq!(from("news@shop.example"), "From: news@shop.example");
    assert_eq!(from("\"Shop, the\" <news@shop.example>"), "From: =?utf-8?b?U2hvcCwgdGhl?= <news@shop.example>");
    assert_eq!(from("Zoë <news@shop.example>"), "From: =?utf-8?b?Wm/Dqw==?= <news@shop.example>");
}
