//! The other side of the channel: a post office that keeps a journal, and the channel `email` that leads to it.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use muster_channel::{
    Cause, Channel, ComposeError, Connection, Console, Draft, Kind, Lost, Message, Outcome, Pace, Phase, Templates,
    Trouble,
};

use crate::fuse::Fuse;

/// How the post office answers, by what the address begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Accept,
    BusyTwice,
    Busy,
    Silence,
    NobodyHome,
}

fn answer(address: &str) -> Answer {
    match address.split(['-', '@']).next() {
        Some("busytwice") => Answer::BusyTwice,
        Some("busy") => Answer::Busy,
        Some("silent") => Answer::Silence,
        _ => Answer::Accept,
    }
}

/// What happens right before a hand-over: for the tests that meddle at that moment.
pub type Meddler = Box<dyn Fn(&Message) + Send + Sync>;

/// A channel whose other side is a list: what is on it was accepted, whatever the sender knows.
pub struct Post {
    writer: Console,
    connections: usize,
    is_closed: AtomicBool,
    journal: Mutex<Vec<(String, String)>>,
    tries: Mutex<BTreeMap<String, u32>>,
    fuse: Arc<Fuse>,
    meddler: Mutex<Option<Meddler>>,
}

impl Post {
    pub fn new(templates: Templates, connections: usize, fuse: Arc<Fuse>) -> Self {
        Self {
            writer: Console::to("email", Arc::new(templates), Box::new(io::sink())),
            connections,
            is_closed: AtomicBool::new(false),
            journal: Mutex::default(),
            tries: Mutex::default(),
            fuse,
            meddler: Mutex::default(),
        }
    }

    /// The ids and addresses that were accepted, in order.
    pub fn journal(&self) -> Vec<(String, String)> {
        self.journal.lock().unwrap().clone()
    }

    /// From now on nobody can be reached, or everybody again.
    pub fn close(&self, is_closed: bool) {
        self.is_closed.store(is_closed, Ordering::SeqCst);
    }

    pub fn meddle(&self, meddler: Meddler) {
        *self.meddler.lock().unwrap() = Some(meddler);
    }

    pub fn leave_in_peace(&self) {
        *self.meddler.lock().unwrap() = None;
    }

    fn take(&self, message: &Message) -> Outcome {
        self.fuse.burn();
        if let Some(meddle) = self.meddler.lock().unwrap().as_ref() {
            meddle(message);
        }
        let to = message.to().to_string();
        let attempt = self.attempt(&to);
        let answer = if self.is_closed.load(Ordering::SeqCst) { Answer::NobodyHome } else { answer(&to) };
        match answer {
            Answer::BusyTwice if attempt <= 2 => deferred(Phase::Content, Pace::SlowDown),
            Answer::Busy => deferred(Phase::Content, Pace::SlowDown),
            Answer::NobodyHome => deferred(Phase::Connect, Pace::Halt),
            Answer::Silence => Outcome::Uncertain { lost: Lost { phase: Phase::Terminator, cause: Cause::TimedOut } },
            Answer::Accept | Answer::BusyTwice => {
                self.journal.lock().unwrap().push((message.id().to_string(), to));
                self.fuse.burn();
                self.writer.open().send(message)
            }
        }
    }

    fn attempt(&self, to: &str) -> u32 {
        let mut tries = self.tries.lock().unwrap();
        let attempt = tries.entry(to.to_owned()).or_default();
        *attempt += 1;
        *attempt
    }
}

fn deferred(phase: Phase, pace: Pace) -> Outcome {
    Outcome::Deferred { trouble: Trouble::Lost(Lost { phase, cause: Cause::Closed }), pace }
}

/// The channel `email` of the shop; the post office behind it outlives every process of the shop.
pub struct Email(pub Arc<Post>);

impl Channel for Email {
    fn name(&self) -> &str {
        "email"
    }

    fn kind(&self) -> Kind {
        Kind::Email
    }

    fn connections(&self) -> usize {
        self.0.connections
    }

    fn domain(&self) -> &str {
        "shop.example"
    }

    fn compose(&self, draft: &Draft<'_>) -> Result<Message, ComposeError> {
        self.0.writer.compose(draft)
    }

    fn open(&self) -> Box<dyn Connection + Send + '_> {
        Box::new(Counter(&self.0))
    }
}

struct Counter<'a>(&'a Post);

impl Connection for Counter<'_> {
    fn send(&mut self, message: &Message) -> Outcome {
        self.0.take(message)
    }

    fn close(&mut self) {}
}
