//! What a person sees while a statement runs: after a second the seconds, and the rows that came.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use crate::commands::load::thousands;

/// What is over sooner needs no sign.
const SILENCE: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(100);

/// A sign on stderr that something goes on; gone when it is dropped. Where nobody looks on there is none.
pub struct Waiting {
    rows: Arc<AtomicU64>,
    over: Option<Sender<()>>,
    sign: Option<JoinHandle<()>>,
}

impl Waiting {
    /// Begins to wait.
    pub fn begin() -> Self {
        let rows = Arc::new(AtomicU64::new(0));
        if !io::stderr().is_terminal() {
            return Self { rows, over: None, sign: None };
        }
        let (over, ended) = channel();
        let came = Arc::clone(&rows);
        let show = move || {
            let start = Instant::now();
            let mut spinner = None;
            while ended.recv_timeout(if spinner.is_none() { SILENCE } else { TICK }) == Err(RecvTimeoutError::Timeout) {
                let spinner = spinner.get_or_insert_with(ProgressBar::new_spinner);
                spinner.set_message(said(start.elapsed(), came.load(Ordering::Relaxed)));
                spinner.tick();
            }
            if let Some(spinner) = spinner {
                spinner.finish_and_clear();
            }
        };
        // Without a thread there is no sign, and the statement runs all the same.
        Self { rows, over: Some(over), sign: thread::Builder::new().name("waiting".to_owned()).spawn(show).ok() }
    }

    /// More rows came.
    pub fn came(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// Takes the sign away, since something else is shown now.
    pub fn end(&mut self) {
        self.over.take();
        if let Some(sign) = self.sign.take() {
            // A sign that broke is gone too.
            let _ = sign.join();
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.end();
    }
}

fn said(taken: Duration, rows: u64) -> String {
    let rows = if rows == 0 { String::new() } else { format!(", {} rows", thousands(rows)) };
    format!("{} s{rows}; Ctrl-C stops it", taken.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_whole_and_rows_are_named_when_there_are_some() {
        assert_eq!(said(Duration::from_millis(3_900), 0), "3 s; Ctrl-C stops it");
        assert_eq!(said(Duration::from_secs(61), 1_234_567), "61 s, 1,234,567 rows; Ctrl-C stops it");
    }
}
