//! Conversations that go wrong, in every phase.

use std::time::{Duration, Instant};

use muster_catalog::{SmtpChannel, Tls};
use muster_channel::{
    Cause, Channel, Concern, Error, Login, Lost, Outcome, Pace, Password, Phase, Smtp, SmtpSettings, Trouble,
};
use serde_json::json;

use crate::fake::{Act, CERTIFICATE, Fake, Moment, say};
use crate::world::{compose_for, message, of, settings, smtp, templates};

/// The outcome of one message over a server that follows `script`.
fn outcome(script: Vec<(Moment, Act)>) -> Outcome {
    let server = Fake::start(script);
    let channel = smtp(server.port);
    channel.open().send(&message(&channel, "jan@example.nl"))
}

fn deferred(outcome: &Outcome) -> Option<(Phase, Pace)> {
    match outcome {
        Outcome::Deferred { trouble: Trouble::Lost(Lost { phase, .. }) | Trouble::Replied { phase, .. }, pace } => {
            Some((*phase, *pace))
        }
        _ => None,
    }
}

const BEFORE_THE_CONTENT: [(Moment, Phase); 5] = [
    (Moment::Greeting, Phase::Greeting),
    (Moment::Hello, Phase::Hello),
    (Moment::Sender, Phase::Sender),
    (Moment::Recipient, Phase::Recipient),
    (Moment::Data, Phase::Data),
];

#[test]
fn a_server_that_hangs_up_before_the_content_has_not_accepted() {
    for (moment, phase) in BEFORE_THE_CONTENT {
        let outcome = outcome(vec![(moment, Act::HangUp)]);
        assert_eq!(deferred(&outcome), Some((phase, Pace::BackOff)), "{moment:?}: {outcome:?}");
    }
}

#[test]
fn a_server_that_falls_silent_before_the_content_has_not_accepted() {
    for (moment, phase) in BEFORE_THE_CONTENT {
        let outcome = outcome(vec![(moment, Act::Silence)]);
        let expected =
            Outcome::Deferred { trouble: Trouble::Lost(Lost { phase, cause: Cause::TimedOut }), pace: Pace::BackOff };
        assert_eq!(outcome, expected, "{moment:?}");
    }
}

#[test]
fn a_server_that_is_gone_after_the_terminator_leaves_the_message_uncertain() {
    let cases = [
        (Act::HangUp, Cause::Closed),
        (Act::Silence, Cause::TimedOut),
        (Act::Drip, Cause::TimedOut),
        (say("hello?"), Cause::Garbled),
        (say("354 go on"), Cause::Garbled),
        (say("220-one\r\n250 two"), Cause::Garbled),
        (Act::Say("250".to_owned() + &"x".repeat(10_000)), Cause::Garbled),
    ];
    for (act, cause) in cases {
        let outcome = outcome(vec![(Moment::Terminator, act.clone())]);
        assert_eq!(outcome, Outcome::Uncertain { lost: Lost { phase: Phase::Terminator, cause } }, "{act:?}");
    }
}

/// Six megabytes that nobody reads do not fit into the buffers between the two sides.
#[test]
fn a_server_that_stops_reading_the_content_has_not_accepted() {
    let server = Fake::start(vec![(Moment::Data, Act::SayAndSleep("354 go ahead\r\n".to_owned()))]);
    let files =
        [("welcome.nl.txt", "---\nsubject: s\n---\n{{ profile.note }}"), ("welcome.nl.html", "{{ profile.note }}")];
    let channel = Smtp::new("email", settings(server.port), of(&files)).unwrap();
    let note = "é".repeat(500_000);
    let message = compose_for(&channel, Some("jan@example.nl"), json!({ "note": note })).unwrap();
    assert!(message.bytes().len() > 6_000_000);
    let outcome = channel.open().send(&message);
    assert_eq!(deferred(&outcome), Some((Phase::Content, Pace::BackOff)), "{outcome:?}");
}

#[test]
fn an_answer_to_the_message_is_believed_whatever_it_says() {
    let refused = outcome(vec![(Moment::Terminator, say("554 5.6.0 malformed"))]);
    assert!(
        matches!(refused, Outcome::Refused { phase: Phase::Terminator, concerns: Concern::Content, .. }),
        "{refused:?}"
    );
    let deferred_ = outcome(vec![(Moment::Terminator, say("452 4.3.1 disk full"))]);
    assert_eq!(deferred(&deferred_), Some((Phase::Terminator, Pace::BackOff)), "{deferred_:?}");
    let sent = outcome(vec![(Moment::Terminator, say("250-2.0.0 queued\r\n250 as 4711"))]);
    assert!(matches!(&sent, Outcome::Sent { reply } if reply.to_string() == "250 2.0.0 queued as 4711"), "{sent:?}");
}

#[test]
fn a_slow_drip_ends_at_the_timer_of_the_phase() {
    let start = Instant::now();
    let outcome = outcome(vec![(Moment::Hello, Act::Drip)]);
    assert_eq!(deferred(&outcome), Some((Phase::Hello, Pace::BackOff)), "{outcome:?}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn an_endless_answer_is_no_answer() {
    let outcome = outcome(vec![(Moment::Hello, Act::Say("250-more\r\n".repeat(100_000)))]);
    let expected = Trouble::Lost(Lost { phase: Phase::Hello, cause: Cause::Garbled });
    assert_eq!(outcome, Outcome::Deferred { trouble: expected, pace: Pace::BackOff });
}

#[test]
fn an_answer_that_was_not_asked_for_is_not_taken_for_the_next_one() {
    let outcome = outcome(vec![(Moment::Recipient, Act::Say("250 ok\r\n354 go\r\n250 queued\r\n".to_owned()))]);
    let expected = Trouble::Lost(Lost { phase: Phase::Data, cause: Cause::Garbled });
    assert_eq!(outcome, Outcome::Deferred { trouble: expected, pace: Pace::BackOff });
}

#[test]
fn a_refused_recipient_does_not_disturb_the_next_one() {
    let server = Fake::start(vec![(Moment::Recipient, say("550 5.1.1 no such mailbox"))]);
    let channel = smtp(server.port);
    let mut connection = channel.open();
    let refused = connection.send(&message(&channel, "gone@example.nl"));
    assert!(matches!(refused, Outcome::Refused { concerns: Concern::Address, .. }), "{refused:?}");
    assert!(matches!(connection.send(&message(&channel, "jan@example.nl")), Outcome::Sent { .. }));
    assert_eq!(server.recipients(), ["jan@example.nl"]);
    assert_eq!(server.seen().conversations, 1);
    assert_eq!(server.seen().commands.iter().filter(|command| *command == "RSET").count(), 1);
}

#[test]
fn an_outcome_does_not_wait_for_the_server_to_forget() {
    let script = vec![(Moment::Recipient, say("550 5.1.1 no such mailbox")), (Moment::Reset, Act::Silence)];
    let server = Fake::start(script);
    let channel = smtp(server.port);
    let mut connection = channel.open();
    let start = Instant::now();
    assert!(matches!(connection.send(&message(&channel, "gone@example.nl")), Outcome::Refused { .. }));
    assert!(start.elapsed() < channel_timer(), "{:?}", start.elapsed());
    assert!(matches!(connection.send(&message(&channel, "jan@example.nl")), Outcome::Sent { .. }));
    assert_eq!(server.seen().conversations, 2);
}

fn channel_timer() -> Duration {
    settings(0).timers.command
}

#[test]
fn a_server_that_does_not_forget_is_left() {
    let script = vec![(Moment::Recipient, say("450 greylisted")), (Moment::Reset, say("503 what?"))];
    let server = Fake::start(script);
    let channel = smtp(server.port);
    let mut connection = channel.open();
    assert!(matches!(
        connection.send(&message(&channel, "a@example.nl")),
        Outcome::Deferred { pace: Pace::BackOff, .. }
    ));
    assert!(matches!(connection.send(&message(&channel, "b@example.nl")), Outcome::Sent { .. }));
    assert_eq!(server.seen().conversations, 2);
}

#[test]
fn a_conversation_that_ended_between_two_messages_is_begun_again() {
    for act in [Act::HangUp, say("421 4.4.2 idle too long")] {
        let server = Fake::start(Vec::new());
        let channel = smtp(server.port);
        let mut connection = channel.open();
        assert!(matches!(connection.send(&message(&channel, "a@example.nl")), Outcome::Sent { .. }));
        server.add(Moment::Sender, act.clone());
        assert!(matches!(connection.send(&message(&channel, "b@example.nl")), Outcome::Sent { .. }), "{act:?}");
        assert_eq!(server.recipients(), ["a@example.nl", "b@example.nl"]);
        assert_eq!(server.seen().conversations, 2, "{act:?}");
    }
}

#[test]
fn a_fresh_conversation_that_breaks_is_not_begun_again() {
    let server = Fake::start(vec![(Moment::Sender, Act::HangUp)]);
    let channel = smtp(server.port);
    let outcome = channel.open().send(&message(&channel, "jan@example.nl"));
    assert_eq!(deferred(&outcome), Some((Phase::Sender, Pace::BackOff)), "{outcome:?}");
    assert_eq!(server.seen().conversations, 1);
}

#[test]
fn a_message_that_got_uncertain_is_not_sent_again() {
    let server = Fake::start(Vec::new());
    let channel = smtp(server.port);
    let mut connection = channel.open();
    connection.send(&message(&channel, "a@example.nl"));
    server.add(Moment::Terminator, Act::HangUp);
    assert!(matches!(connection.send(&message(&channel, "b@example.nl")), Outcome::Uncertain { .. }));
    let mails = server.seen().commands.iter().filter(|command| command.starts_with("MAIL")).count();
    assert_eq!((mails, server.seen().conversations), (2, 1));
}

#[test]
fn a_server_that_nobody_runs_defers() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let channel = smtp(port);
    let outcome = channel.open().send(&message(&channel, "jan@example.nl"));
    assert_eq!(deferred(&outcome), Some((Phase::Connect, Pace::BackOff)), "{outcome:?}");
}

#[test]
fn a_server_that_wants_nothing_from_us_halts_the_channel_and_not_the_message() {
    let outcome = outcome(vec![(Moment::Greeting, say("554 5.7.1 you are on a list"))]);
    assert_eq!(deferred(&outcome), Some((Phase::Greeting, Pace::Halt)), "{outcome:?}");
}

fn login(password: &str) -> Option<Login> {
    Some(Login { user: "shop".to_owned(), password: Password::new(password.to_owned()) })
}

#[test]
fn signing_in_says_the_password_and_nothing_else_does() {
    let plain = Fake::offering("AUTH LOGIN PLAIN", Vec::new());
    let settings_ = SmtpSettings { login: login("s3cret"), ..settings(plain.port) };
    assert!(!format!("{settings_:?}").contains("s3cret"));
    let channel = Smtp::new("email", settings_, templates()).unwrap();
    assert!(matches!(channel.open().send(&message(&channel, "jan@example.nl")), Outcome::Sent { .. }));
    assert_eq!(plain.seen().commands[1], "AUTH PLAIN AHNob3AAczNjcmV0");

    let two_steps = vec![(Moment::Login, say("334 VXNlcm5hbWU6")), (Moment::Login, say("334 UGFzc3dvcmQ6"))];
    let steps = Fake::offering("AUTH LOGIN", two_steps);
    let channel =
        Smtp::new("email", SmtpSettings { login: login("s3cret"), ..settings(steps.port) }, templates()).unwrap();
    assert!(matches!(channel.open().send(&message(&channel, "jan@example.nl")), Outcome::Sent { .. }));
    assert_eq!(steps.seen().commands[1..4], ["AUTH LOGIN", "c2hvcA==", "czNjcmV0"]);
}

#[test]
fn a_wrong_password_halts_the_channel() {
    for (extensions, script) in [("AUTH PLAIN", vec![(Moment::Login, say("535 5.7.8 no"))]), ("AUTH CRAM-MD5", vec![])]
    {
        let server = Fake::offering(extensions, script);
        let settings = SmtpSettings { login: login("wrong"), ..settings(server.port) };
        let channel = Smtp::new("email", settings, templates()).unwrap();
        let outcome = channel.open().send(&message(&channel, "jan@example.nl"));
        assert_eq!(deferred(&outcome), Some((Phase::Login, Pace::Halt)), "{extensions}: {outcome:?}");
    }
}

fn trusting(port: u16, tls: Tls) -> Smtp {
    let settings = SmtpSettings { tls, authorities: vec![CERTIFICATE.to_vec()], ..settings(port) };
    Smtp::new("email", settings, templates()).expect("these settings work")
}

#[test]
fn a_message_travels_under_tls_from_the_start_or_after_starttls() {
    let always = Fake::encrypted();
    let channel = trusting(always.port, Tls::Always);
    let outcome = channel.open().send(&message(&channel, "jan@example.nl"));
    assert!(matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");

    let later = Fake::offering("STARTTLS", Vec::new());
    let channel = trusting(later.port, Tls::StartTls);
    let outcome = channel.open().send(&message(&channel, "jan@example.nl"));
    assert!(matches!(outcome, Outcome::Sent { .. }), "{outcome:?}");
    let verbs: Vec<String> = later.seen().commands.iter().map(|command| command[..4].to_owned()).collect();
    assert_eq!(verbs[..4], ["EHLO", "STAR", "EHLO", "MAIL"]);
}

#[test]
fn without_the_tls_that_was_asked_for_nothing_is_sent() {
    let stranger = Fake::offering("STARTTLS", Vec::new());
    let untrusted =
        Smtp::new("email", SmtpSettings { tls: Tls::StartTls, ..settings(stranger.port) }, templates()).unwrap();
    let bare = Fake::start(Vec::new());
    let injected = vec![(Moment::StartTls, Act::Say("220 go ahead\r\n250 injected\r\n".to_owned()))];
    let injected = Fake::offering("STARTTLS", injected);
    let cases = [
        (untrusted, Pace::Halt),
        (trusting(bare.port, Tls::StartTls), Pace::Halt),
        (trusting(injected.port, Tls::StartTls), Pace::BackOff),
    ];
    for (channel, pace) in cases {
        let outcome = channel.open().send(&message(&channel, "jan@example.nl"));
        assert_eq!(deferred(&outcome), Some((Phase::StartTls, pace)), "{outcome:?}");
    }
    for server in [stranger, bare, injected] {
        assert!(!server.seen().commands.iter().any(|command| command.starts_with("MAIL")));
    }
}

fn refused(settings: SmtpSettings) -> String {
    Smtp::new("email", settings, templates()).expect_err("it cannot work").to_string()
}

#[test]
fn settings_that_cannot_work_are_refused_with_what_to_do() {
    assert_eq!(
        refused(SmtpSettings { host: "mail.example".to_owned(), login: login("x"), ..settings(25) }),
        "channels.email: a password would go to mail.example unencrypted; set tls = \"starttls\" or \"tls\" (\"none\" is for this machine only)"
    );
    assert_eq!(
        refused(SmtpSettings { from: "Shop news@shop.example".to_owned(), ..settings(25) }),
        "channels.email: from = \"Shop news@shop.example\" is not a sender: the address holds ' '; expected a plain address like name@example.nl; expected like \"Shop <news@shop.example>\""
    );
    assert_eq!(
        refused(SmtpSettings { host: "mail example".to_owned(), ..settings(25) }),
        "channels.email: host = \"mail example\" is neither a host name nor an address"
    );
}

#[test]
fn a_password_comes_from_the_environment_or_not_at_all() {
    let table = |user: Option<&str>, variable: Option<&str>| SmtpChannel {
        name: "email".to_owned(),
        host: "localhost".to_owned(),
        port: 25,
        from: "news@shop.example".to_owned(),
        tls: Tls::None,
        user: user.map(str::to_owned),
        password_env: variable.map(str::to_owned),
        connections: 4,
    };
    let error = SmtpSettings::of(&table(Some("shop"), Some("MUSTER_NOT_SET_BY_ANYBODY"))).unwrap_err();
    assert!(matches!(error, Error::NoPassword { .. }), "{error}");
    assert!(matches!(SmtpSettings::of(&table(Some("shop"), None)), Err(Error::HalfLogin { .. })));
    let settings = SmtpSettings::of(&table(None, None)).unwrap();
    assert_eq!((settings.connections, settings.timers.terminator), (4, Duration::from_secs(600)));
}
