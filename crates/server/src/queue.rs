//! Rows that wait for their commit: bounded, in order of arrival, taken in groups.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::protocol::Wrong;
use crate::{Appended, Batch, Limits};

/// What becomes of a batch.
pub(crate) type Outcome = Result<Appended, Wrong>;

/// A batch, and who waits for its answer.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) batch: Batch,
    pub(crate) answer: oneshot::Sender<Outcome>,
}

/// The queue: many put batches in, one takes groups out.
pub(crate) struct Queue {
    limits: Limits,
    line: Mutex<Line>,
    changed: Condvar,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Waiting>,
    rows: usize,
    bytes: usize,
    closed: bool,
}

impl Queue {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, line: Mutex::default(), changed: Condvar::new() }
    }

    /// Puts a batch at the end; its answer comes when its commit is on disk.
    ///
    /// A batch that alone is more than the queue holds is let in when nothing else waits: it could never be otherwise.
    pub(crate) fn offer(&self, batch: Batch) -> Result<oneshot::Receiver<Outcome>, Wrong> {
        let mut line = self.line();
        let (rows, bytes) = (batch.rows().len(), batch.bytes());
        let has_room = line.rows + rows <= self.limits.queue_rows && line.bytes + bytes <= self.limits.queue_bytes;
        if line.closed {
            return Err(Wrong::stopping());
        }
        if !has_room && !line.waiting.is_empty() {
            return Err(Wrong::busy("too many rows wait for their commit"));
        }
        let (answer, receiver) = oneshot::channel();
        line.waiting.push_back(Waiting { batch, answer });
        (line.rows, line.bytes) = (line.rows + rows, line.bytes + bytes);
        self.changed.notify_all();
        Ok(receiver)
    }

    /// The next group, never empty: at least one batch, and as many more as one commit takes; none when the queue is
    /// closed and everything was taken. Waits a little for company.
    pub(crate) fn next_group(&self) -> Option<Vec<Waiting>> {
        let mut line = self.line();
        while line.waiting.is_empty() && !line.closed {
            line = self.changed.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
        let begun = Instant::now();
        while line.rows < self.limits.group_rows && !line.closed {
            let left = self.limits.gather_time.saturating_sub(begun.elapsed());
            if left.is_zero() {
                break;
            }
            (line, _) = self.changed.wait_timeout(line, left).unwrap_or_else(PoisonError::into_inner);
        }
        let group = line.take(self.limits.group_rows);
        if group.is_empty() { None } else { Some(group) }
    }

    /// Lets nothing more in; what waits is still taken.
    pub(crate) fn close(&self) {
        self.line().closed = true;
        self.changed.notify_all();
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn take(&mut self, most: usize) -> Vec<Waiting> {
        let mut group = Vec::new();
        let mut rows = 0;
        while let Some(next) = self.waiting.front() {
            rows += next.batch.rows().len();
            if rows > most && !group.is_empty() {
                break;
            }
            group.extend(self.waiting.pop_front());
        }
        self.rows -= group.iter().map(|taken| taken.batch.rows().len()).sum::<usize>();
        self.bytes -= group.iter().map(|taken| taken.batch.bytes()).sum::<usize>();
        group
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn queue(queue_rows: usize, group_rows: usize) -> Queue {
        Queue::new(Limits { queue_rows, group_rows, gather_time: Duration::ZERO, ..Limits::default() })
    }

    fn batch(table: &str, rows: usize) -> Batch {
        Batch::of(table, std::iter::repeat_n("{}", rows))
    }

    fn tables(group: Option<Vec<Waiting>>) -> Vec<String> {
        group.into_iter().flatten().map(|waiting| waiting.batch.table).collect()
    }

    #[test]
    fn groups_are_in_order_whole_and_no_larger_than_one_commit_takes() {
        let queue = queue(100, 5);
        let _answers: Vec<_> = [("a", 3), ("b", 2), ("c", 1), ("d", 9), ("e", 1)]
            .map(|(name, rows)| queue.offer(batch(name, rows)))
            .into();
        let groups: Vec<_> = (0..4).map(|_| tables(queue.next_group())).collect();
        assert_eq!(groups, [vec!["a", "b"], vec!["c"], vec!["d"], vec!["e"]]);
    }

    #[test]
    fn a_full_queue_says_so_and_has_room_again_when_a_group_was_taken() {
        let queue = queue(4, 4);
        let _first = queue.offer(batch("a", 3)).unwrap();
        assert_eq!(queue.offer(batch("b", 2)).unwrap_err().kind, "busy");
        let _second = queue.offer(batch("c", 1)).unwrap();
        assert_eq!(tables(queue.next_group()), ["a", "c"]);
        let _third = queue.offer(batch("d", 2)).unwrap();
        assert_eq!(tables(queue.next_group()), ["d"]);
    }

    #[test]
    fn bytes_are_counted_too() {
        let queue = Queue::new(Limits { queue_bytes: 7, gather_time: Duration::ZERO, ..Limits::default() });
        let _first = queue.offer(batch("a", 3)).unwrap();
        assert_eq!(queue.offer(batch("b", 1)).unwrap_err().kind, "busy");
    }

    #[test]
    fn what_is_larger_than_the_queue_is_let_in_alone() {
        let queue = queue(2, 2);
        let _only = queue.offer(batch("a", 9)).unwrap();
        assert_eq!(queue.offer(batch("b", 1)).unwrap_err().kind, "busy");
        assert_eq!(tables(queue.next_group()), ["a"]);
    }

    #[test]
    fn a_closed_queue_gives_what_it_has_and_takes_nothing() {
        let queue = queue(100, 100);
        let _answer = queue.offer(batch("a", 1)).unwrap();
        queue.close();
        assert_eq!(queue.offer(batch("b", 1)).unwrap_err().kind, "stopping");
        assert_eq!(tables(queue.next_group()), ["a"]);
        assert!(queue.next_group().is_none());
    }
}
