//! A desk for tests: it keeps every row that does not say "bad", and does what its commands tell it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, mpsc};
use std::time::Duration;

use muster_server::{
    Appended, Batch, Check, Client, Command, Desk, Failure, PreviewRequest, Previewed, Refusal, RejectedRow, Report,
};

/// What it kept and was asked, group by group.
#[derive(Default)]
pub struct Counting {
    /// The rows of each commit.
    pub commits: Mutex<Vec<Vec<String>>>,
    /// What is wrong with the disk.
    pub broken: Mutex<Option<String>>,
    /// How many calls wait because it is closed.
    pub waiting: AtomicUsize,
    /// Of each client of `stay`, whether it left before two seconds were over.
    pub left: Mutex<Vec<bool>>,
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Counting {
    /// Makes rows and the command `wait` wait.
    pub fn close(&self) {
        *self.closed.lock().unwrap() = true;
    }

    /// Lets them go on.
    pub fn open(&self) {
        *self.closed.lock().unwrap() = false;
        self.opened.notify_all();
    }

    /// How many commits there were.
    pub fn commit_count(&self) -> usize {
        self.commits.lock().unwrap().len()
    }

    fn wait(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        drop(self.opened.wait_while(self.closed.lock().unwrap(), |closed| *closed).unwrap());
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }

    fn keep(batch: &Batch, kept: &mut Vec<String>) -> Result<Appended, Refusal> {
        if batch.table != "orders" {
            return Err(Refusal { message: "no such table".to_owned(), hint: Some("orders".to_owned()) });
        }
        let mut appended = Appended { snapshot: Some(1), ..Appended::default() };
        for (place, row) in (0..).zip(batch.rows()) {
            if row.contains("bad") {
                let reason = "is bad".to_owned();
                let rejected = RejectedRow { row: place, column: None, value: None, reason, hint: None };
                appended.rejected.push(rejected);
            } else {
                appended.committed += 1;
                kept.push(row.to_owned());
            }
        }
        Ok(appended)
    }
}

impl Desk for Counting {
    fn commands(&self) -> &'static [&'static str] {
        &["echo", "wait", "stay", "count", "panic", "fail"]
    }

    fn run(&self, command: &Command, client: &Client) -> Result<Report, Failure> {
        let stdout = match command.name.as_str() {
            "wait" => {
                self.wait();
                "waited".to_owned()
            }
            "stay" => {
                let (leave, left) = mpsc::channel();
                client.when_gone(move || leave.send(()).unwrap());
                self.waiting.fetch_add(1, Ordering::SeqCst);
                let has_left = left.recv_timeout(Duration::from_secs(2)).is_ok();
                self.left.lock().unwrap().push(has_left);
                "stayed".to_owned()
            }
            "count" => format!("{}", self.commits.lock().unwrap().iter().flatten().count()),
            "panic" => panic!("as it was asked to"),
            "fail" => return Err(Failure::Fatal("a commit failed".to_owned())),
            _ => command.arguments.clone(),
        };
        Ok(Report { exit: 3, stdout, stderr: String::new() })
    }

    fn append(&self, batches: &[Batch]) -> Result<Vec<Result<Appended, Refusal>>, Failure> {
        self.wait();
        let texts: Vec<&str> = batches.iter().flat_map(Batch::rows).collect();
        match () {
            () if texts.iter().any(|row| row.contains("panic")) => panic!("as it was asked to"),
            () if texts.iter().any(|row| row.contains("full")) => {
                return Err(Failure::Unavailable("the disk is full".to_owned()));
            }
            () if texts.iter().any(|row| row.contains("lost")) => {
                return Err(Failure::Fatal("a sync failed".to_owned()));
            }
            () => {}
        }
        let mut kept = Vec::new();
        let answers = batches.iter().map(|batch| Self::keep(batch, &mut kept)).collect();
        self.commits.lock().unwrap().push(kept);
        Ok(answers)
    }

    /// Counts no row; of an editor whose definition is `wait` it waits until it is let go on, and was superseded.
    fn preview(&self, wanted: PreviewRequest, _turn: u64) -> Result<Previewed, Failure> {
        match wanted.definition.as_str() {
            "wait" => {
                self.wait();
                return Err(Failure::Superseded);
            }
            "bad" => return Err(Failure::Refused(Refusal::new("is bad"))),
            _ => self.open(),
        }
        let as_of = wanted.as_of.unwrap_or_default();
        Ok(Previewed { snapshot: 1, as_of, rows: 0, conditions: Vec::new(), choice: None, selected: 0 })
    }

    fn checks(&self) -> Vec<Check> {
        vec![Check { check: "disk", problem: self.broken.lock().unwrap().clone() }]
    }
}
