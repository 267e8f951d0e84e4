//! The console: prints e-mail instead of sending it, for a first try and for tests.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    Cause, Channel, ComposeError, Connection, Draft, EmailAddress, Kind, Lost, Mailbox, Message, Outcome, Phase, Reply,
    Templates, message,
};

/// How many lines of the text are shown.
const SHOWN_LINES: usize = 3;

/// A channel that prints a short form of each message: whom to, the subject, the first lines of the text.
///
/// It composes exactly as e-mail does, so that what passes here passes there.
pub struct Console {
    name: String,
    sender: Mailbox,
    templates: Arc<Templates>,
    out: Mutex<Box<dyn Write + Send>>,
}

impl Console {
    /// Prints to the standard output of the process.
    pub fn new(name: &str, templates: Arc<Templates>) -> Self {
        Self::to(name, templates, Box::new(io::stdout()))
    }

    /// Prints to `out`.
    pub fn to(name: &str, templates: Arc<Templates>, out: Box<dyn Write + Send>) -> Self {
        let address = EmailAddress::parse("nobody@console.invalid").expect("this is a plain address");
        Self { name: name.to_owned(), sender: Mailbox { name: None, address }, templates, out: Mutex::new(out) }
    }

    fn print(&self, message: &Message) -> io::Result<()> {
        // A thread that panicked while printing leaves a broken line behind, not a broken writer.
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(short_form(message).as_bytes())?;
        out.flush()
    }
}

impl Channel for Console {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> Kind {
        Kind::Email
    }

    fn connections(&self) -> usize {
        1
    }

    fn domain(&self) -> &str {
        self.sender.address.domain()
    }

    fn compose(&self, draft: &Draft<'_>) -> Result<Message, ComposeError> {
        message::email(&self.templates, &self.sender, draft)
    }

    fn open(&self) -> Box<dyn Connection + Send + '_> {
        Box::new(Printer(self))
    }
}

struct Printer<'a>(&'a Console);

impl Connection for Printer<'_> {
    /// A message that failed while being printed may have been seen.
    fn send(&mut self, message: &Message) -> Outcome {
        match self.0.print(message) {
            Ok(()) => Outcome::Sent { reply: Reply::of_our_own("printed") },
            Err(error) => Outcome::of_lost(Lost { phase: Phase::Terminator, cause: Cause::Io(error.kind()) }),
        }
    }

    fn close(&mut self) {}
}

fn short_form(message: &Message) -> String {
    let mut form = format!("to {}: {}\n", message.to(), message.subject());
    for line in message.text().lines().filter(|line| !line.trim().is_empty()).take(SHOWN_LINES) {
        // Data on a terminal must not steer it.
        form.extend("    ".chars().chain(line.chars().filter(|c| !c.is_control())));
        form.push('\n');
    }
    form
}
