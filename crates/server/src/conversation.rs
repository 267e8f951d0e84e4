//! One connection of the write socket: lines in, answers out, in the order of the lines.
//!
//! Rows of several lines may wait for their commit at the same time. A command waits for the rows before it and is
//! waited for by what follows, so that a sender's lines take effect in their order.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use crate::client::gone;
use crate::lines::{Line, Lines, Next};
use crate::protocol::{self, Asked, Pong, Request, Unread, Wrong};
use crate::queue::{Outcome, Queue};
use crate::standing::reach;
use crate::writer::note;
use crate::{Client, Command, Desk, Failure, Limits, Phase, PreviewRequest, Previewed, Report, Standing};

/// What all connections share.
pub(crate) struct Hall {
    pub(crate) desk: Arc<dyn Desk>,
    pub(crate) standing: Arc<Standing>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) limits: Limits,
    /// Who may read a long line.
    pub(crate) long_lines: Arc<Semaphore>,
    /// Who may run a command.
    pub(crate) commands: Arc<Semaphore>,
    /// Who may have a definition counted.
    pub(crate) previews: Arc<Semaphore>,
    /// How many of them came.
    pub(crate) turns: AtomicU64,
}

/// An answer that is there, or will be when a commit is.
enum Answer {
    Said(String),
    Rows { id: Option<String>, outcome: oneshot::Receiver<Outcome>, _held: Held },
    Preview { id: Option<String>, outcome: JoinHandle<Result<Previewed, Wrong>> },
}

/// What a request holds until it is answered: its place on the connection, and the right to be long.
struct Held {
    _place: Option<OwnedSemaphorePermit>,
    _long: Option<OwnedSemaphorePermit>,
}

/// Answers a client until it leaves, breaks a limit, or the process ends.
pub(crate) async fn converse(stream: UnixStream, hall: Arc<Hall>) {
    let (read, write) = stream.into_split();
    let (answers, written) = mpsc::channel(hall.limits.in_flight as usize);
    let writing = tokio::spawn(write_answers(write, written, hall.limits));
    Listener::new(read, &hall).listen(answers).await;
    // Everything that was accepted is answered before the connection is closed.
    let _ = writing.await;
}

async fn write_answers(mut write: OwnedWriteHalf, mut answers: mpsc::Receiver<Answer>, limits: Limits) {
    while let Some(answer) = answers.recv().await {
        let text = match answer {
            Answer::Said(text) => text,
            Answer::Preview { id, outcome } => {
                let broken = |_| Err(Wrong::new("failed", "counting broke off"));
                protocol::previewed(id.as_deref(), outcome.await.unwrap_or_else(broken))
            }
            Answer::Rows { id, outcome, _held } => {
                let outcome = outcome.await.unwrap_or_else(|_| Err(Wrong::stopping()));
                protocol::appended(id.as_deref(), outcome)
            }
        };
        // Whoever does not read its answers is not waited for.
        if !matches!(timeout(limits.answer_time, write.write_all(text.as_bytes())).await, Ok(Ok(()))) {
            return;
        }
    }
}

/// The reading side of a connection.
struct Listener<'a> {
    hall: &'a Arc<Hall>,
    lines: Lines<OwnedReadHalf>,
    /// One for each request that may wait for its commit.
    places: Arc<Semaphore>,
}

/// What a line leads to: an answer, and whether it is the last.
enum Turn {
    Answer(Answer),
    Last(Wrong),
    Nothing,
    Over,
}

impl<'a> Listener<'a> {
    fn new(read: OwnedReadHalf, hall: &'a Arc<Hall>) -> Self {
        let lines = Lines::new(read, hall.limits, Arc::clone(&hall.long_lines));
        Self { hall, lines, places: Arc::new(Semaphore::new(hall.limits.in_flight as usize)) }
    }

    async fn listen(mut self, answers: mpsc::Sender<Answer>) {
        let mut phase = self.hall.standing.phase();
        let mut number = 0;
        loop {
            let next = tokio::select! {
                biased;
                () = reach(&mut phase, |phase| *phase != Phase::Running) => return,
                next = self.lines.next() => next,
            };
            number += u64::from(matches!(next, Next::Line(_)));
            let (answer, last) = match self.turn(next, number).await {
                Turn::Answer(answer) => (answer, false),
                Turn::Last(wrong) => (Answer::Said(protocol::wrong(None, &wrong)), true),
                Turn::Nothing => continue,
                Turn::Over => return,
            };
            if answers.send(answer).await.is_err() || last {
                return;
            }
        }
    }

    async fn turn(&self, next: Next, number: u64) -> Turn {
        let limits = &self.hall.limits;
        match next {
            Next::Line(line) if line.text.trim_ascii().is_empty() => Turn::Nothing,
            Next::Line(line) => Turn::Answer(self.answer(line, number).await),
            Next::End | Next::Broken => Turn::Over,
            Next::Idle if self.places.available_permits() < limits.in_flight as usize => Turn::Nothing,
            Next::Idle => Turn::Last(Wrong::new("closed", format!("nothing came for {:?}", limits.idle_time))),
            Next::Slow => Turn::Last(Wrong::new("closed", format!("a line took longer than {:?}", limits.line_time))),
            Next::Long => {
                let wrong = Wrong::new("malformed", format!("a line is longer than {} bytes", limits.line_bytes));
                Turn::Last(wrong.with_hint("send fewer rows in one request"))
            }
            Next::NotText(byte) => Turn::Last(Wrong {
                place: Some(format!("line {} byte {}", number + 1, byte + 1)),
                ..Wrong::new("malformed", "expected UTF-8")
            }),
        }
    }

    async fn answer(&self, line: Line, number: u64) -> Answer {
        let Line { text, long } = line;
        let Request { id, asked } = match self.parsed(text, number).await {
            Ok(request) => request,
            Err(Unread { id, wrong }) => return Answer::Said(protocol::wrong(id.as_deref(), &wrong)),
        };
        match asked {
            Asked::Ping => {
                let pong = Pong { process: std::process::id(), version: env!("CARGO_PKG_VERSION") };
                Answer::Said(protocol::done(id.as_deref(), "ping", &pong))
            }
            Asked::Rows(batch) => {
                let place = Arc::clone(&self.places).acquire_owned().await.ok();
                match self.hall.queue.offer(batch) {
                    Ok(outcome) => Answer::Rows { id, outcome, _held: Held { _place: place, _long: long } },
                    Err(wrong) => Answer::Said(protocol::wrong(id.as_deref(), &wrong)),
                }
            }
            Asked::Preview(wanted) => {
                // All places: the rows before it are committed. What follows does not wait for it, so that a newer one of the
                // same editor can take its place.
                drop(self.places.acquire_many(self.hall.limits.in_flight).await);
                Answer::Preview { id, outcome: self.preview(wanted) }
            }
            Asked::Command(command) => {
                // All places: the rows before it are committed.
                let _places = self.places.acquire_many(self.hall.limits.in_flight).await;
                let name = command.name.clone();
                Answer::Said(protocol::reported(id.as_deref(), &name, self.run(command).await))
            }
        }
    }

    /// A long line is not taken apart where it would hold up other connections.
    async fn parsed(&self, text: String, number: u64) -> Result<Request, Unread> {
        let commands = self.hall.desk.commands();
        if text.len() <= self.hall.limits.short_line_bytes {
            return protocol::parse(text, number, commands);
        }
        let broken = |_| Err(Unread { id: None, wrong: Wrong::new("failed", "reading the line broke off") });
        spawn_blocking(move || protocol::parse(text, number, commands)).await.unwrap_or_else(broken)
    }

    fn preview(&self, wanted: PreviewRequest) -> JoinHandle<Result<Previewed, Wrong>> {
        let Ok(place) = Arc::clone(&self.hall.previews).try_acquire_owned() else {
            return tokio::spawn(async { Err(Wrong::busy("too many previews are under way")) });
        };
        let desk = Arc::clone(&self.hall.desk);
        let turn = self.hall.turns.fetch_add(1, Ordering::Relaxed);
        spawn_blocking(move || {
            let _place = place;
            desk.preview(wanted, turn).map_err(Wrong::from)
        })
    }

    async fn run(&self, command: Command) -> Result<Report, Wrong> {
        let Ok(_place) = self.hall.commands.try_acquire() else {
            return Err(Wrong::busy("too many commands are under way"));
        };
        let desk = Arc::clone(&self.hall.desk);
        let broken = |_| Err(Failure::Unavailable("the command broke off".to_owned()));
        let client = Client::default();
        let asked_by = client.clone();
        let mut work = spawn_blocking(move || desk.run(&command, &asked_by));
        let done = tokio::select! {
            done = &mut work => done,
            () = gone(self.lines.source().as_ref()) => {
                client.leave();
                work.await
            }
        };
        let outcome = done.unwrap_or_else(broken);
        if !matches!(&outcome, Ok(report) if report.exit != 0) {
            note(&outcome, &self.hall.standing);
        }
        outcome.map_err(Wrong::from)
    }
}
