//! Refusals, over SMTP: whom the server's answer is about decides what follows.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use muster_campaign::{Reason, Status, Summary};
use muster_catalog::Tls;
use muster_channel::{Smtp, SmtpSettings, Timers};

use crate::shop::{LETTER, Shop, templates};

/// A server on loopback that answers a recipient by what the address begins with. It lives as long as the test.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || converse(stream.unwrap()));
        }
    });
    port
}

/// Answers line by line until the client leaves.
fn converse(stream: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let say = |text: &str| (&stream).write_all(format!("{text}\r\n").as_bytes()).ok();
    say("220 ready")?;
    while let Some(Ok(line)) = lines.next() {
        match line.get(..4).unwrap_or_default() {
            "RCPT" => say(answer(&line))?,
            "DATA" => {
                say("354 go on")?;
                lines.find(|line| line.as_ref().is_ok_and(|line| line == "."))?.ok()?;
                say("250 taken")?;
            }
            "QUIT" => say("221 bye")?,
            _ => say("250 fine")?,
        }
    }
    Some(())
}

fn answer(recipient: &str) -> &'static str {
    let address = recipient.split_once('<').map_or("", |(_, address)| address);
    match address.split(['-', '@']).next() {
        Some("gone") => "550 5.1.1 no such mailbox",
        Some("banned") => "550 5.7.1 we know you",
        Some("large") => "552 5.3.4 too large",
        Some("odd") => "550 no",
        Some("greylisted") => "450 4.7.1 come back later",
        _ => "250 fine",
    }
}

fn run(shop: &Shop, port: u16) -> Summary {
    let settings = SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        from: "Shop <news@shop.example>".to_owned(),
        tls: Tls::None,
        login: None,
        connections: 1,
        timers: Timers::default(),
        authorities: Vec::new(),
    };
    let smtp = Smtp::new("email", settings, Arc::new(templates())).unwrap();
    let mut summaries = shop.run_due_over(Box::new(smtp)).unwrap();
    assert_eq!(summaries.len(), 1);
    summaries.remove(0)
}

#[test]
fn each_refusal_fails_its_own_message_and_says_whom_it_is_about() {
    let people = ["ann", "banned", "gone", "large", "odd", "zoe"];
    let shop = Shop::with_people(people.map(str::to_owned), 1);
    shop.publish("letter", LETTER);
    let summary = run(&shop, server());
    assert!(summary.is_finished(), "{summary:?}");
    assert_eq!(
        people.map(|key| shop.fate("letter", key)),
        [
            "sent",
            "failed: sender refused",
            "failed: address refused",
            "failed: content refused",
            "failed: refused",
            "sent"
        ]
    );
    let gone = shop.ledger("letter").into_iter().find(|entry| entry.profile_key == "gone").unwrap();
    assert_eq!(gone.detail.as_deref(), Some("550 5.1.1 no such mailbox"));
}

#[test]
fn an_address_that_does_not_exist_is_not_written_to_again_and_one_that_bans_us_is() {
    let shop = Shop::with_people(["banned", "gone"].map(str::to_owned), 1);
    let port = server();
    shop.publish("first", LETTER);
    run(&shop, port);
    shop.state().write(|tx| muster_campaign::stop(tx, "first")).unwrap();
    shop.publish("second", LETTER);
    run(&shop, port);
    assert_eq!(shop.fate("second", "gone"), "skipped: suppressed");
    assert_eq!(shop.fate("second", "banned"), "failed: sender refused");
}

#[test]
fn who_is_greylisted_waits_and_the_others_do_not() {
    let mut shop = Shop::of(30, 1);
    for number in 0..20 {
        shop.change(&format!("c{number:05}"), |person| {
            person.address = Some(format!("greylisted-{number}@people.example"))
        });
    }
    shop.publish("letter", LETTER);
    let summary = run(&shop, server());
    assert_eq!((summary.count(Status::Deferred), summary.count(Status::Sent), summary.stopped), (20, 10, None));
}

#[test]
fn when_everybody_bans_us_the_rest_is_not_asked() {
    let mut shop = Shop::of(30, 1);
    for number in 0..30 {
        shop.change(&format!("c{number:05}"), |person| {
            person.address = Some(format!("banned-{number}@people.example"))
        });
    }
    shop.publish("letter", LETTER);
    let summary = run(&shop, server());
    assert_eq!(summary.steps[0].counts.get(&(Status::Failed, Some(Reason::SenderRefused))), Some(&3));
    assert_eq!(summary.count(Status::Ready), 27);
    let why = "3 hand-overs in a row failed, the last with: 550 5.7.1 we know you";
    assert_eq!(summary.stopped.as_deref(), Some(why));
}
