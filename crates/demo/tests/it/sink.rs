//! The mail sink, spoken to over a socket as a real client would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use muster_demo::Error;
use muster_demo::sink::{Entry, Options, Running, Sink, read_journal, wait_for_port};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A client that says what it is told and gives back what it hears.
struct Client {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
}

impl Client {
    fn connect(sink: &Running) -> Client {
        let writer = TcpStream::connect(sink.address()).unwrap();
        writer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client { reader: BufReader::new(writer.try_clone().unwrap()), writer }
    }

    /// A client that has read the greeting and said EHLO.
    fn greeted(sink: &Running) -> Client {
        let mut client = Client::connect(sink);
        assert!(client.hear().starts_with("220 "));
        assert!(client.say("EHLO test.example").starts_with("250-"));
        client
    }

    /// The whole next reply; empty when the sink hung up.
    fn hear(&mut self) -> String {
        let mut reply = String::new();
        while self.reader.read_line(&mut reply).unwrap_or(0) > 0 {
            let last = reply.lines().last().unwrap_or_default();
            if last.as_bytes().get(3) != Some(&b'-') {
                break;
            }
        }
        reply.trim_end().to_owned()
    }

    fn say(&mut self, line: &str) -> String {
        self.put(&format!("{line}\r\n"))
    }

    fn put(&mut self, bytes: &str) -> String {
        self.writer.write_all(bytes.as_bytes()).unwrap();
        self.hear()
    }

    /// Hands over one message and gives back the reply that decided it.
    fn send(&mut self, recipient: &str, content: &str) -> String {
        assert_eq!(self.say("MAIL FROM:<news@shop.example>"), "250 2.1.0 OK");
        let reply = self.say(&format!("RCPT TO:<{recipient}>"));
        if !reply.starts_with("250") {
            self.say("RSET");
            return reply;
        }
        assert!(self.say("DATA").starts_with("354 "));
        self.put(&format!("{content}\r\n.\r\n"))
    }
}

fn sink(journal: &Path, script: &str) -> Running {
    let options = Options { faults: script.parse().unwrap(), ..Options::default() };
    Sink::bind(ANY_PORT, journal, options).unwrap().start()
}

fn recipients(journal: &Path) -> Vec<String> {
    read_journal(journal).unwrap().into_iter().map(|entry| entry.recipient).collect()
}

#[test]
fn an_accepted_message_is_in_the_journal_with_its_digest() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.tsv");
    let sink = sink(&journal, "");
    let mut client = Client::greeted(&sink);
    let content = "Message-ID: <1@shop.example>\r\nSubject: Hi\r\n\r\n..dot\r\nend";
    assert_eq!(client.send("ann@home.example", content), "250 2.0.0 Accepted");
    // Printed by sha256sum for 'Message-ID: <1@shop.example>\r\nSubject: Hi\r\n\r\n.dot\r\nend\r\n'.
    let expected = Entry {
        sequence: 1,
        message_id: "<1@shop.example>".into(),
        recipient: "ann@home.example".into(),
        sha256: "3d0f979e23932c5572f822987d87d3ae0d8d275411839962fedc5c4bf3edaf20".into(),
        bytes: 56,
    };
    assert_eq!(read_journal(&journal).unwrap(), [expected]);
    assert_eq!(client.say("QUIT"), "221 2.0.0 Bye");
    sink.stop().unwrap();
}

#[test]
fn commands_out_of_order_are_refused_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.tsv");
    let sink = sink(&journal, "");
    let mut client = Client::connect(&sink);
    assert!(client.hear().starts_with("220 "));
    for (line, reply) in [
        ("MAIL FROM:<a@b.nl>", "503 5.5.1 EHLO first"),
        ("HELO test.example", "250 sink.localhost"),
        ("RCPT TO:<a@b.nl>", "503 5.5.1 MAIL first"),
        ("DATA", "503 5.5.1 RCPT first"),
        ("MAIL FROM:<a@b.nl> SIZE=99999999", "552 5.3.4 Too large"),
        ("MAIL FROM:<a@b.nl>", "250 2.1.0 OK"),
        ("MAIL FROM:<a@b.nl>", "503 5.5.1 A message was begun already"),
        ("DATA", "503 5.5.1 RCPT first"),
        ("RCPT TO:<nobody>", "501 5.5.4 expected RCPT TO:<address>"),
        ("RSET", "250 2.0.0 OK"),
        ("RCPT TO:<a@b.nl>", "503 5.5.1 MAIL first"),
        ("HELP", "500 5.5.2 Unknown command"),
        ("NOOP", "250 2.0.0 OK"),
    ] {
        assert_eq!(client.say(line), reply, "{line}");
    }
    assert_eq!(read_journal(&journal).unwrap(), []);
}

#[test]
fn only_crlf_dot_crlf_ends_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.tsv");
    let sink = sink(&journal, "");
    let mut client = Client::greeted(&sink);
    let second = "MAIL FROM:<evil@x.example>\r\nRCPT TO:<victim@x.example>\r\nDATA\r\nx";
    for terminator in ["\n.\n", "\n.\r\n", "\r.\r", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\r\n\0.\r\n", "\r\n.\r\r\n"] {
        let reply = client.send("ann@x.example", &format!("Subject: x\r\n\r\nhello{terminator}{second}"));
        let expected =
            if terminator.contains('\0') { "250 2.0.0 Accepted" } else { "554 5.6.0 Bare CR or LF in the content" };
        assert_eq!(reply, expected, "{terminator:?}");
    }
    assert_eq!(recipients(&journal), ["ann@x.example"]);
}

#[test]
fn a_line_or_a_message_that_is_too_long_is_refused_and_the_next_one_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.tsv");
    let options = Options { max_message_bytes: 5000, ..Options::default() };
    let sink = Sink::bind(ANY_PORT, &journal, options).unwrap().start();
    let mut client = Client::greeted(&sink);
    assert_eq!(client.send("ann@x.example", &"y".repeat(4000)), "554 5.6.0 A line is too long");
    assert_eq!(client.send("ann@x.example", &"hello\r\n".repeat(1000)), "552 5.3.4 Too large");
    assert_eq!(client.send("ann@x.example", "hello"), "250 2.0.0 Accepted");
    assert_eq!(recipients(&journal).len(), 1);
}

#[test]
fn each_rule_of_the_fault_script_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.tsv");
    let script = "gone@*  refuse 550 5.1.1 No such user\n\
                  big@*   refuse-content 552 5.3.4 Too big\n\
                  grey@*  greylist\n\
                  cut@*   hang-up before-terminator\n\
                  lost@*  hang-up after-terminator\n\
                  kept@*  hang-up after-journal\n\
                  slow@*  drip 1\n";
    let sink = sink(&journal, script);
    for (recipient, reply, is_kept) in [
        ("gone@x.example", "550 5.1.1 No such user", false),
        ("big@x.example", "552 5.3.4 Too big", false),
        ("grey@x.example", "451 4.7.1 Greylisted, come back later", false),
        ("grey@x.example", "250 2.0.0 Accepted", true),
        ("cut@x.example", "", false),
        ("lost@x.example", "", false),
        ("kept@x.example", "", true),
        ("slow@x.example", "250 2.0.0 Accepted", true),
        ("fine@x.example", "250 2.0.0 Accepted", true),
    ] {
        let before = read_journal(&journal).unwrap().len();
        assert_eq!(Client::greeted(&sink).send(recipient, "hello"), reply, "{recipient}");
        let after = recipients(&journal);
        assert_eq!(after.len() - before, usize::from(is_kept), "{recipient}");
    }
    assert_eq!(recipients(&journal), ["grey@x.example", "kept@x.example", "slow@x.example", "fine@x.example"]);
}

#[test]
fn an_endless_reply_goes_on_until_the_client_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.tsv");
    let sink = sink(&journal, "* endless");
    let mut client = Client::greeted(&sink);
    for line in ["MAIL FROM:<a@b.nl>", "RCPT TO:<a@b.nl>", "DATA"] {
        client.say(line);
    }
    client.writer.write_all(b"hello\r\n.\r\n").unwrap();
    let heard = client.reader.by_ref().lines().take(10_000).filter(|line| line.as_ref().unwrap() == "250-2.0.0 and");
    assert_eq!(heard.count(), 10_000);
    drop(client);
    sink.stop().unwrap();
    assert_eq!(read_journal(&journal).unwrap(), []);
}

#[test]
fn many_connections_share_one_journal_without_gaps() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.tsv");
    let sink = sink(&journal, "");
    thread::scope(|scope| {
        for connection in 0..8 {
            let sink = &sink;
            scope.spawn(move || {
                let mut client = Client::greeted(sink);
                for message in 0..25 {
                    let content = format!("Message-ID: <{connection}.{message}@x>\r\n\r\nhello");
                    assert_eq!(client.send("ann@x.example", &content), "250 2.0.0 Accepted");
                }
            });
        }
    });
    let entries = read_journal(&journal).unwrap();
    assert!(entries.iter().map(|entry| entry.sequence).eq(1..=200));
    let messages: std::collections::BTreeSet<_> = entries.iter().map(|entry| &entry.message_id).collect();
    assert_eq!(messages.len(), 200);
}

#[test]
fn one_connection_too_many_is_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { max_connections: 1, ..Options::default() };
    let sink = Sink::bind(ANY_PORT, &folder.path().join("journal.tsv"), options).unwrap().start();
    let _first = Client::greeted(&sink);
    assert_eq!(Client::connect(&sink).hear(), "421 4.3.2 Too many connections");
}

#[test]
fn a_torn_last_line_is_no_entry_and_is_cut_off_when_the_journal_is_continued() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.tsv");
    let digest = "0".repeat(64);
    fs::write(&journal, format!("1\t<1@x>\tann@x.example\t{digest}\t7\n2\t<2@x>\tbob@x.exa")).unwrap();
    assert_eq!(recipients(&journal), ["ann@x.example"]);
    let sink = sink(&journal, "");
    Client::greeted(&sink).send("eve@x.example", "hello");
    let sequences: Vec<u64> = read_journal(&journal).unwrap().iter().map(|entry| entry.sequence).collect();
    assert_eq!(sequences, [1, 2]);
    assert_eq!(recipients(&journal), ["ann@x.example", "eve@x.example"]);
}

#[test]
fn a_file_that_is_no_journal_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("shopping.txt");
    fs::write(&journal, "milk\nbread\n").unwrap();
    let error = Sink::bind(ANY_PORT, &journal, Options::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} line 1: not a journal line; expected sequence, message id, recipient, SHA-256 and bytes between tabs",
            journal.display()
        )
    );
    assert_eq!(fs::read_to_string(&journal).unwrap(), "milk\nbread\n");
}

#[test]
fn a_journal_has_one_sink() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("journal.tsv");
    let _first = sink(&journal, "");
    let error = Sink::bind(ANY_PORT, &journal, Options::default()).unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot lock {}", journal.display())), "{error}");
}

#[test]
fn it_listens_on_loopback_only() {
    let folder = tempfile::tempdir().unwrap();
    let address = "0.0.0.0:0".parse().unwrap();
    let error = Sink::bind(address, &folder.path().join("journal.tsv"), Options::default()).unwrap_err();
    assert!(matches!(error, Error::NotLoopback { .. }));
}

#[test]
fn the_port_file_tells_another_process_where_to_send() {
    let folder = tempfile::tempdir().unwrap();
    let port_file = folder.path().join("port");
    let absent = wait_for_port(&port_file, Duration::ZERO).unwrap_err();
    assert!(matches!(absent, Error::NoPort { .. }), "{absent}");
    let sink = Sink::bind(ANY_PORT, &folder.path().join("journal.tsv"), Options::default()).unwrap();
    sink.write_port(&port_file).unwrap();
    assert_eq!(wait_for_port(&port_file, Duration::from_secs(1)).unwrap(), sink.port());
}

#[test]
fn a_silent_client_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { patience: Duration::from_millis(50), ..Options::default() };
    let sink = Sink::bind(ANY_PORT, &folder.path().join("journal.tsv"), options).unwrap().start();
    let mut client = Client::greeted(&sink);
    assert_eq!(client.hear(), "421 4.4.2 Silent for too long");
}
