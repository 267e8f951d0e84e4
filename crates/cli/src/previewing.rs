//! Counts definitions while somebody writes them: one at a time, on the newest snapshot, of each editor only what it sent
//! last.
//!
//! All of it happens on one thread that stays: between requests it keeps what is defined and the rows of each condition, so
//! that the next request asks only for what changed.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use muster_catalog::{Clock, Timestamp, parse_local};
use muster_language::parse_definition;
use muster_query::{Engine, Stopper};
use muster_segment::{Preview, Session};
use muster_server::{Failure, PreviewRequest, Previewed, PreviewedCondition, Refusal};

use crate::desk::{Served, held};
use crate::pointing;
use crate::workspace::{Workspace, engine};

/// A definition that takes longer is not what anybody types.
const SECONDS: u64 = 30;

/// For so long the present stays the same instant while the snapshot does, so that conditions that name it are not asked
/// again with every letter. The answer says the instant.
const SAME_INSTANT: Duration = Duration::from_secs(60);

/// Counts definitions on a thread of its own, which ends with it.
pub struct Previewer {
    line: Arc<Line>,
    stopper: Stopper,
    thread: Option<JoinHandle<()>>,
}

impl Previewer {
    /// Starts it.
    ///
    /// # Errors
    /// If no threads can be started.
    pub fn start(served: Arc<Served>) -> Result<Self> {
        let engine = engine(SECONDS)?;
        let (line, stopper) = (Arc::new(Line::default()), engine.stopper());
        let requests = Arc::clone(&line);
        // A request that panics is answered by its sender's going; those behind it are not given up.
        let work = move || {
            while catch_unwind(AssertUnwindSafe(|| work(&served, &engine, &requests))).is_err() {
                requests.done();
            }
        };
        let thread = thread::Builder::new().name("previews".to_owned()).spawn(work);
        Ok(Self { line, stopper, thread: Some(thread.context("cannot start a thread")?) })
    }

    /// Counts a definition; what the same editor asked in an earlier turn and has no answer yet is given up.
    ///
    /// # Errors
    /// [`Failure::Superseded`] if this is what is given up; [`Failure::Refused`] if the definition is not in order, or takes
    /// more than a query may.
    pub fn preview(&self, wanted: PreviewRequest, turn: u64) -> Result<Previewed, Failure> {
        let (answer, answered) = sync_channel(1);
        self.line.join(Asked { wanted, turn, answer }, &self.stopper)?;
        answered.recv().unwrap_or_else(|_| Err(Failure::Unavailable("counting broke off".to_owned())))
    }
}

impl Drop for Previewer {
    fn drop(&mut self) {
        self.line.end();
        self.stopper.end();
        if let Some(thread) = self.thread.take() {
            // One that panicked has nothing left to end.
            let _ = thread.join();
        }
    }
}

/// A request and where its answer goes.
struct Asked {
    wanted: PreviewRequest,
    /// Which of all requests it was.
    turn: u64,
    answer: SyncSender<Result<Previewed, Failure>>,
}

impl Asked {
    fn answer(self, answer: Result<Previewed, Failure>) {
        // Whoever asked may have stopped waiting.
        let _ = self.answer.send(answer);
    }
}

/// The requests that wait, and whose is at work.
#[derive(Default)]
struct Line {
    waiting: Mutex<Waiting>,
    came: Condvar,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Asked>,
    /// The editor whose request is at work, and its turn.
    at_work: Option<(String, u64)>,
    /// Whether a newer one of the same editor came meanwhile.
    is_superseded: bool,
    has_ended: bool,
}

impl Line {
    /// Takes the place of an older request of the same editor, or the last one.
    fn join(&self, asked: Asked, stopper: &Stopper) -> Result<(), Failure> {
        let mut waiting = held(&self.waiting);
        if waiting.has_ended {
            return Err(Failure::Unavailable("the running `muster serve` is ending".to_owned()));
        }
        let at_work =
            waiting.at_work.as_ref().filter(|(editor, _)| *editor == asked.wanted.editor).map(|(_, turn)| *turn);
        let place = waiting.requests.iter().position(|other| other.wanted.editor == asked.wanted.editor);
        if at_work.max(place.map(|place| waiting.requests[place].turn)) > Some(asked.turn) {
            return Err(Failure::Superseded);
        }
        if at_work.is_some() && !waiting.is_superseded {
            waiting.is_superseded = true;
            stopper.stop();
        }
        match place.map(|place| &mut waiting.requests[place]) {
            Some(older) => std::mem::replace(older, asked).answer(Err(Failure::Superseded)),
            None => waiting.requests.push_back(asked),
        }
        self.came.notify_one();
        Ok(())
    }

    /// The next request, once there is one; `None` when there will be none.
    fn next(&self) -> Option<Asked> {
        let waiting = held(&self.waiting);
        let idle = |waiting: &mut Waiting| waiting.requests.is_empty() && !waiting.has_ended;
        let mut waiting = self.came.wait_while(waiting, idle).unwrap_or_else(PoisonError::into_inner);
        let next = waiting.requests.pop_front().filter(|_| !waiting.has_ended)?;
        waiting.at_work = Some((next.wanted.editor.clone(), next.turn));
        waiting.is_superseded = false;
        Some(next)
    }

    /// The request at work is done; whether it was superseded meanwhile.
    fn done(&self) -> bool {
        let mut waiting = held(&self.waiting);
        waiting.at_work = None;
        waiting.is_superseded
    }

    fn end(&self) {
        let mut waiting = held(&self.waiting);
        waiting.has_ended = true;
        // Their senders go, which tells whoever waits.
        waiting.requests.clear();
        self.came.notify_all();
    }
}

/// Answers requests until there will be none. A session stays as long as muster.toml does.
fn work(served: &Served, engine: &Engine, line: &Line) {
    let mut next = line.next();
    while let Some(asked) = next {
        let workspace = match served.workspace() {
            Ok(workspace) => workspace,
            Err(error) => {
                answer(line, asked, Err(error));
                next = line.next();
                continue;
            }
        };
        let clock = workspace.clock();
        let bench = served.opened.workbench(&workspace, engine, clock.as_ref());
        let session =
            Session::new(bench, None).map(|session| Counting { session, workspace: &workspace, clock: &*clock });
        next = match session {
            Ok(session) => session.while_same(served, line, asked),
            Err(error) => {
                answer(line, asked, Err(error.into()));
                line.next()
            }
        };
    }
}

/// Says what was counted, or why it was not.
fn answer(line: &Line, asked: Asked, counted: Result<Previewed>) {
    let answer = match counted {
        _ if line.done() => Err(Failure::Superseded),
        Ok(previewed) => Ok(previewed),
        Err(error) => Err(Failure::Refused(Refusal::new(pointing::told(&error)))),
    };
    asked.answer(answer);
}

/// A session over one muster.toml.
struct Counting<'w> {
    session: Session<'w>,
    workspace: &'w Workspace,
    clock: &'w dyn Clock,
}

impl Counting<'_> {
    /// Answers this request and those after it that find the same muster.toml; the first that does not.
    fn while_same(mut self, served: &Served, line: &Line, asked: Asked) -> Option<Asked> {
        let mut next = Some(asked);
        while let Some(asked) = next {
            let is_same = served.workspace().is_ok_and(|now| std::ptr::eq(now.as_ref(), self.workspace));
            if !is_same {
                return Some(asked);
            }
            let counted = self.counted(&asked.wanted, served);
            answer(line, asked, counted);
            next = line.next();
        }
        None
    }

    fn counted(&mut self, wanted: &PreviewRequest, served: &Served) -> Result<Previewed> {
        let live = self.live(served);
        let as_of = self.instant(wanted)?.unwrap_or(live);
        self.session.look_anew(live)?;
        let definition = parse_definition(&wanted.definition)?;
        let Preview { rows, conditions, choice, selected } = self.session.preview(&definition, as_of)?;
        let conditions = conditions.into_iter().map(|counted| PreviewedCondition {
            condition: counted.text,
            alone: counted.alone,
            remain: counted.remain,
        });
        Ok(Previewed {
            snapshot: self.session.snapshot(),
            as_of: as_of.rfc3339(self.workspace.catalog.workspace.time_zone),
            rows,
            conditions: conditions.collect(),
            choice,
            selected,
        })
    }

    /// The instant that is asked for, if one is.
    fn instant(&self, wanted: &PreviewRequest) -> Result<Option<Timestamp>> {
        let zone = self.workspace.catalog.workspace.time_zone;
        let read = |text: &String| parse_local(text, zone).map_err(|error| anyhow!("as_of \"{text}\" is {error}"));
        wanted.as_of.as_ref().map(read).transpose()
    }

    /// The present, which stays the same for a while as long as the snapshot does.
    fn live(&self, served: &Served) -> Timestamp {
        let (now, before) = (self.clock.now(), self.session.as_of());
        let is_same = served.opened.store.snapshot().is_some_and(|newest| newest.number() == self.session.snapshot());
        let age = now.micros().saturating_sub(before.micros());
        if is_same && u128::try_from(age).is_ok_and(|age| age < SAME_INSTANT.as_micros()) { before } else { now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(editor: &str, turn: u64) -> Asked {
        let (editor, definition) = (editor.to_owned(), turn.to_string());
        Asked { wanted: PreviewRequest { editor, definition, as_of: None }, turn, answer: sync_channel(1).0 }
    }

    /// Threads come in any order; the newest request of an editor counts all the same, and of another one every request.
    #[test]
    fn the_newest_request_counts_in_whatever_order_they_arrive() {
        let (line, stopper) = (Line::default(), Stopper::default());
        assert!(line.join(asked("ann", 7), &stopper).is_ok());
        assert!(matches!(line.join(asked("ann", 5), &stopper), Err(Failure::Superseded)));
        assert!(line.join(asked("bob", 6), &stopper).is_ok());
        assert_eq!(line.next().unwrap().turn, 7);
        assert!(matches!(line.join(asked("ann", 4), &stopper), Err(Failure::Superseded)));
        assert!(!line.done(), "an older request gives up no newer one");
        assert_eq!(line.next().unwrap().turn, 6);
        assert!(line.join(asked("bob", 8), &stopper).is_ok());
        assert!(line.done());
        assert_eq!(line.next().unwrap().turn, 8);
    }
}
