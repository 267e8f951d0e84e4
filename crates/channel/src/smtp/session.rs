//! One SMTP conversation in its phases (RFC 5321).
//!
//! Beginning: connect, greeting, EHLO, STARTTLS, AUTH. Then for each message, to one recipient: MAIL, RCPT, DATA, the
//! content, the terminator. Up to the content a failure proves that the server did not accept; the terminator is
//! written apart, and from its first byte on only an answer says what happened.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use muster_catalog::Tls;

use super::settings::{Login, Server};
use super::wire::Wire;
use crate::mime::Content;
use crate::{Cause, EmailAddress, Lost, Outcome, Phase, Reply, Trouble};

/// How much of a message is written under one timer.
const BLOCK: usize = 64 * 1024;

/// An open conversation, signed in and ready for a message.
pub(super) struct Session<'a> {
    server: &'a Server,
    wire: Wire,
    offers: Offers,
    /// False from the moment that a message was begun until it was accepted.
    clear: bool,
}

/// What the server's answer to EHLO offers, of what is used here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Offers {
    starttls: bool,
    plain: bool,
    login: bool,
}

impl<'a> Session<'a> {
    /// Connects and gets as far as the first MAIL.
    pub fn begin(server: &'a Server) -> Result<Self, Trouble> {
        let mut session = Self::connect(server)?;
        session.greeting()?;
        session.hello()?;
        if server.settings.tls == Tls::StartTls {
            session = session.start_tls()?;
            session.hello()?;
        }
        if let Some(login) = &server.settings.login {
            session.sign_in(login)?;
        }
        Ok(session)
    }

    fn connect(server: &'a Server) -> Result<Self, Trouble> {
        let settings = &server.settings;
        let wire =
            Wire::connect(&settings.host, settings.port, settings.timers.connect).map_err(lost(Phase::Connect))?;
        let session = Self { server, wire, offers: Offers::default(), clear: true };
        if settings.tls == Tls::Always { session.encrypted() } else { Ok(session) }
    }

    fn greeting(&mut self) -> Result<(), Trouble> {
        self.wire.within(self.server.settings.timers.command);
        let reply = self.wire.reply().map_err(lost(Phase::Greeting))?;
        expect(Phase::Greeting, reply, 2).map(drop)
    }

    fn hello(&mut self) -> Result<(), Trouble> {
        let address = self.wire.local_address().map_err(lost(Phase::Hello))?;
        let reply = self.ask(Phase::Hello, &format!("EHLO {}", literal(address)), 2)?;
        self.offers = Offers::of(&reply);
        Ok(())
    }

    fn start_tls(mut self) -> Result<Self, Trouble> {
        if !self.offers.starttls {
            return Err(lost(Phase::StartTls)(Cause::NoStartTls));
        }
        self.ask(Phase::StartTls, "STARTTLS", 2)?;
        self.encrypted()
    }

    fn encrypted(mut self) -> Result<Self, Trouble> {
        self.wire.within(self.server.settings.timers.command);
        let wire = self.wire.encrypted(&self.server.tls, &self.server.name).map_err(lost(Phase::StartTls))?;
        Ok(Self { wire, ..self })
    }

    fn sign_in(&mut self, Login { user, password }: &Login) -> Result<(), Trouble> {
        if self.offers.plain {
            let secret = BASE64_STANDARD.encode(format!("\0{user}\0{}", password.reveal()));
            return self.ask(Phase::Login, &format!("AUTH PLAIN {secret}"), 2).map(drop);
        }
        if !self.offers.login {
            return Err(lost(Phase::Login)(Cause::NoLogin));
        }
        self.ask(Phase::Login, "AUTH LOGIN", 3)?;
        self.ask(Phase::Login, &BASE64_STANDARD.encode(user), 3)?;
        self.ask(Phase::Login, &BASE64_STANDARD.encode(password.reveal()), 2).map(drop)
    }

    /// Hands one message over to one recipient.
    pub fn deliver(&mut self, from: &EmailAddress, to: &EmailAddress, content: &Content) -> Outcome {
        self.clear = false;
        let outcome = match self.offer(from, to, content) {
            Ok(()) => self.finish(),
            Err(trouble) => trouble.into(),
        };
        self.clear = matches!(outcome, Outcome::Sent { .. });
        outcome
    }

    /// Everything before the terminator: the server cannot have accepted anything yet.
    fn offer(&mut self, from: &EmailAddress, to: &EmailAddress, content: &Content) -> Result<(), Trouble> {
        self.ask(Phase::Sender, &format!("MAIL FROM:<{from}>"), 2)?;
        self.ask(Phase::Recipient, &format!("RCPT TO:<{to}>"), 2)?;
        self.ask(Phase::Data, "DATA", 3)?;
        for block in content.dot_stuffed().chunks(BLOCK) {
            self.wire.within(self.server.settings.timers.block);
            self.wire.write(block).map_err(lost(Phase::Content))?;
        }
        Ok(())
    }

    /// The terminator and its answer. The content ends in CRLF, so a dot on a line of its own ends the message.
    fn finish(&mut self) -> Outcome {
        self.wire.within(self.server.settings.timers.terminator);
        let reply = self.wire.write(b".\r\n").and_then(|()| self.wire.reply());
        match reply {
            Ok(reply) if reply.is_positive() => Outcome::Sent { reply },
            Ok(reply) if reply.code() >= 400 => Outcome::of_reply(Phase::Terminator, reply),
            Ok(_) => Outcome::of_lost(Lost { phase: Phase::Terminator, cause: Cause::Garbled }),
            Err(cause) => Outcome::of_lost(Lost { phase: Phase::Terminator, cause }),
        }
    }

    /// This conversation without a trace of the last message; `None` if the server does not forget it.
    ///
    /// Asked before the next message and not after the last, whose outcome need not wait for this answer.
    pub fn cleared(mut self) -> Option<Self> {
        self.clear = self.clear || self.ask(Phase::Sender, "RSET", 2).is_ok();
        self.clear.then_some(self)
    }

    /// Says goodbye and hangs up.
    pub fn quit(mut self) {
        self.wire.within(self.server.settings.timers.quit);
        // Every message has its outcome already, whatever the server answers now.
        let _ = self.wire.write(b"QUIT\r\n").and_then(|()| self.wire.reply());
        self.wire.close();
    }

    /// Sends a command and wants an answer whose code begins with `hundreds`.
    fn ask(&mut self, phase: Phase, command: &str, hundreds: u16) -> Result<Reply, Trouble> {
        let timers = &self.server.settings.timers;
        self.wire.within(if phase == Phase::Data { timers.data } else { timers.command });
        self.wire.write(format!("{command}\r\n").as_bytes()).map_err(lost(phase))?;
        let reply = self.wire.reply().map_err(lost(phase))?;
        expect(phase, reply, hundreds)
    }
}

impl Offers {
    fn of(reply: &Reply) -> Self {
        let mut offers = Self::default();
        for line in reply.lines() {
            let mut words = line.split([' ', '=']).map(str::to_ascii_uppercase);
            match words.next().as_deref() {
                Some("STARTTLS") => offers.starttls = true,
                Some("AUTH") => words.for_each(|mechanism| {
                    offers.plain |= mechanism == "PLAIN";
                    offers.login |= mechanism == "LOGIN";
                }),
                _ => {}
            }
        }
        offers
    }
}

/// An answer of the other hundreds that is not even a refusal leaves nothing that one could go on with.
fn expect(phase: Phase, reply: Reply, hundreds: u16) -> Result<Reply, Trouble> {
    match reply.code() / 100 {
        got if got == hundreds => Ok(reply),
        4 | 5 => Err(Trouble::Replied { phase, reply }),
        _ => Err(lost(phase)(Cause::Garbled)),
    }
}

fn lost(phase: Phase) -> impl Fn(Cause) -> Trouble {
    move |cause| Trouble::Lost(Lost { phase, cause })
}

/// A client without a name of its own says its address (RFC 5321, 4.1.3).
fn literal(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("[{v4}]"),
        IpAddr::V6(v6) => format!("[IPv6:{v6}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_whatever_their_capitals() {
        let lines = ["250-mail.example greets you", "250-starttls", "250-AUTH=LOGIN", "250 AUTH CRAM-MD5 plain"];
        let reply = Reply::parse(&lines.map(str::to_owned)).expect("this is a reply");
        assert_eq!(Offers::of(&reply), Offers { starttls: true, plain: true, login: true });
        let none = Reply::parse(&["250 STARTTLSX AUTHPLAIN".to_owned()]).expect("this is a reply");
        assert_eq!(Offers::of(&none), Offers::default());
    }
}
