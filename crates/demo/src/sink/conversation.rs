//! One client's conversation with the sink, from greeting to goodbye (RFC 5321).
//!
//! Strict where leniency hides a client's fault: a bare CR or LF in the content is refused after
//! the terminator, which is CRLF.CRLF and nothing else, so nobody can smuggle a second message in.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::Options;
use super::faults::{Behaviour, Greylist, Phase};
use super::journal::{Accepted, Journal};
use super::protocol::{Command, command, message_id};

/// Longest line that is read: twice what RFC 5321 §4.5.3.1.6 grants to a line of text.
const LONGEST_LINE: u64 = 2000;
/// Recipients of one message at most, the least that RFC 5321 §4.5.3.1.8 asks of a server.
const MOST_RECIPIENTS: usize = 100;
/// Lines of the reply that does not end; a client that reads on after a million has no limit.
const ENDLESS: usize = 1_000_000;

/// The reason a conversation goes no further: goodbye, a fault that hangs up, or a broken socket.
type Ended = io::Error;

pub(super) struct Conversation<'a> {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    options: &'a Options,
    journal: &'a Journal,
    greylist: &'a Greylist,
    line: Vec<u8>,
    greeted: bool,
    envelope: Option<Envelope>,
    /// Set once a recipient asks for dripped replies.
    drip: Option<Duration>,
}

/// The message that MAIL began.
#[derive(Default)]
struct Envelope {
    recipients: Vec<String>,
    /// What the fault script has in store for its content: the last recipient's.
    behaviour: Option<Behaviour>,
}

/// The content between DATA and its terminator.
#[derive(Default)]
struct Content {
    /// Header and body after dot-unstuffing, with CRLF; without what came after the first flaw.
    bytes: Vec<u8>,
    /// The refusal that the first flaw earns.
    flaw: Option<&'static str>,
}

impl<'a> Conversation<'a> {
    pub(super) fn new(
        stream: TcpStream,
        options: &'a Options,
        journal: &'a Journal,
        greylist: &'a Greylist,
    ) -> io::Result<Conversation<'a>> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(options.patience))?;
        stream.set_write_timeout(Some(options.patience))?;
        let reader = BufReader::with_capacity(1 << 16, stream.try_clone()?);
        let line = Vec::with_capacity(256);
        Ok(Conversation {
            reader,
            writer: stream,
            options,
            journal,
            greylist,
            line,
            greeted: false,
            envelope: None,
            drip: None,
        })
    }

    /// Says that there is no room and ends.
    pub(super) fn turn_away(mut self) -> Result<(), Ended> {
        self.reply("421 4.3.2 Too many connections")
    }

    /// Talks until one side ends it.
    pub(super) fn hold(mut self) -> Result<(), Ended> {
        self.reply("220 sink.localhost ESMTP muster sink")?;
        loop {
            let line = self.command_line()?;
            self.answer(command(&line))?;
        }
    }

    fn answer(&mut self, command: Command) -> Result<(), Ended> {
        match command {
            Command::Ehlo => self.greet(true),
            Command::Helo => self.greet(false),
            Command::Mail { size } => self.begin(size),
            Command::Rcpt { recipient } => self.add(recipient),
            Command::Data => self.data(),
            Command::Rset => self.reset(),
            Command::Noop => self.reply("250 2.0.0 OK"),
            Command::Vrfy => self.reply("252 2.1.5 Send some mail and see"),
            Command::Quit => self.reply("221 2.0.0 Bye").and_then(|()| Err(hang_up())),
            Command::Malformed(expected) => self.reply(&format!("501 5.5.4 {expected}")),
            Command::Unknown => self.reply("500 5.5.2 Unknown command"),
        }
    }

    fn greet(&mut self, extended: bool) -> Result<(), Ended> {
        self.greeted = true;
        self.envelope = None;
        let size = self.options.max_message_bytes;
        match extended {
            true => {
                self.reply(&format!("250-sink.localhost\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE {size}"))
            }
            false => self.reply("250 sink.localhost"),
        }
    }

    fn begin(&mut self, size: Option<usize>) -> Result<(), Ended> {
        if !self.greeted {
            return self.reply("503 5.5.1 EHLO first");
        }
        if self.envelope.is_some() {
            return self.reply("503 5.5.1 A message was begun already");
        }
        if size.is_some_and(|size| size > self.options.max_message_bytes) {
            return self.reply("552 5.3.4 Too large");
        }
        self.envelope = Some(Envelope::default());
        self.reply("250 2.1.0 OK")
    }

    fn add(&mut self, recipient: String) -> Result<(), Ended> {
        let Some(envelope) = &mut self.envelope else {
            return self.reply("503 5.5.1 MAIL first");
        };
        if envelope.recipients.len() == MOST_RECIPIENTS {
            return self.reply("452 4.5.3 Too many recipients");
        }
        match self.options.faults.behaviour(&recipient) {
            Some(Behaviour::Refuse { code, text }) => return self.reply(&format!("{code} {text}")),
            Some(Behaviour::Greylist) if self.greylist.is_first(&recipient) => {
                return self.reply("451 4.7.1 Greylisted, come back later");
            }
            Some(Behaviour::Drip(pause)) => self.drip = Some(*pause),
            behaviour => envelope.behaviour = behaviour.cloned(),
        }
        envelope.recipients.push(recipient);
        self.reply("250 2.1.5 OK")
    }

    fn data(&mut self) -> Result<(), Ended> {
        let Some(envelope) = self.envelope.take_if(|envelope| !envelope.recipients.is_empty()) else {
            return self.reply("503 5.5.1 RCPT first");
        };
        self.reply("354 End with a dot on a line by itself")?;
        if envelope.behaviour == Some(Behaviour::HangUp(Phase::BeforeTerminator)) {
            self.text_line()?;
            return Err(hang_up());
        }
        let content = self.content()?;
        self.judge(envelope, content)
    }

    /// What becomes of a message that was handed over whole.
    fn judge(&mut self, envelope: Envelope, content: Content) -> Result<(), Ended> {
        if let Some(refusal) = content.flaw {
            return self.reply(refusal);
        }
        match &envelope.behaviour {
            Some(Behaviour::RefuseContent { code, text }) => self.reply(&format!("{code} {text}")),
            Some(Behaviour::HangUp(Phase::AfterTerminator)) => Err(hang_up()),
            Some(Behaviour::HangUp(Phase::AfterJournal)) => {
                self.record(envelope, &content).and_then(|()| Err(hang_up()))
            }
            Some(Behaviour::Endless) => self.endless(),
            _ => self.record(envelope, &content).and_then(|()| self.reply("250 2.0.0 Accepted")),
        }
    }

    /// Returns once the message is durable; without that, the client is left without an answer.
    fn record(&mut self, envelope: Envelope, content: &Content) -> Result<(), Ended> {
        let accepted = Accepted {
            message_id: message_id(&content.bytes),
            recipients: envelope.recipients,
            sha256: hexadecimal(&Sha256::digest(&content.bytes)),
            bytes: content.bytes.len() as u64,
        };
        if self.journal.record(accepted) { Ok(()) } else { Err(hang_up()) }
    }

    fn endless(&mut self) -> Result<(), Ended> {
        (0..ENDLESS).try_for_each(|_| self.reply("250-2.0.0 and"))?;
        Err(hang_up())
    }

    fn reset(&mut self) -> Result<(), Ended> {
        self.envelope = None;
        self.drip = None;
        self.reply("250 2.0.0 OK")
    }

    /// Reads the content up to CRLF.CRLF, taking off the dot that the client put before dots.
    fn content(&mut self) -> Result<Content, Ended> {
        let mut content = Content::default();
        let mut at_line_start = true;
        loop {
            let too_long = self.text_line()?;
            if at_line_start && self.line == b".\r\n" && !too_long {
                return Ok(content);
            }
            let stuffed = at_line_start && self.line.first() == Some(&b'.');
            content.flaw = content.flaw.or(too_long.then_some("554 5.6.0 A line is too long"));
            content.add(&self.line[usize::from(stuffed)..], self.options.max_message_bytes);
            at_line_start = self.line.ends_with(b"\r\n");
        }
    }

    /// Reads into `line` up to and with the next LF; of a line that is too long, which is what
    /// TRUE says, only the end is kept.
    fn text_line(&mut self) -> Result<bool, Ended> {
        self.line.clear();
        let mut too_long = false;
        loop {
            let mut part = (&mut self.reader).take(LONGEST_LINE);
            if part.read_until(b'\n', &mut self.line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if self.line.ends_with(b"\n") {
                return Ok(too_long);
            }
            // The CR may belong to the line's end.
            let cr = usize::from(self.line.ends_with(b"\r"));
            self.line.drain(..self.line.len() - cr);
            too_long = true;
        }
    }

    fn command_line(&mut self) -> Result<String, Ended> {
        match self.text_line() {
            Ok(false) => Ok(String::from_utf8_lossy(self.line.trim_ascii_end()).into_owned()),
            Ok(true) => self.reply("500 5.5.2 Line too long").and_then(|()| Err(hang_up())),
            Err(ended) => self.lose_patience(ended),
        }
    }

    fn lose_patience(&mut self, ended: Ended) -> Result<String, Ended> {
        if matches!(ended.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
            self.reply("421 4.4.2 Silent for too long")?;
        }
        Err(ended)
    }

    fn reply(&mut self, text: &str) -> Result<(), Ended> {
        let reply = format!("{text}\r\n");
        match self.drip {
            None => self.writer.write_all(reply.as_bytes()),
            Some(pause) => reply.as_bytes().chunks(1).try_for_each(|byte| {
                thread::sleep(pause);
                self.writer.write_all(byte)
            }),
        }
    }
}

impl Content {
    /// Appends a line, unless it or one before it has a flaw.
    fn add(&mut self, line: &[u8], max_bytes: usize) {
        self.flaw = self
            .flaw
            .or(flaw(line))
            .or_else(|| (self.bytes.len() + line.len() > max_bytes).then_some("552 5.3.4 Too large"));
        if self.flaw.is_none() {
            self.bytes.extend_from_slice(line);
        }
    }
}

fn flaw(line: &[u8]) -> Option<&'static str> {
    let ends_well = line.strip_suffix(b"\r\n").is_some_and(|text| !text.contains(&b'\r'));
    (!ends_well).then_some("554 5.6.0 Bare CR or LF in the content")
}

/// Ends a conversation on purpose.
fn hang_up() -> Ended {
    io::ErrorKind::ConnectionAborted.into()
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
