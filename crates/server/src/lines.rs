//! Lines from a connection, each no longer and no slower than the limits say.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::Limits;

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A line without its end.
    Line(Line),
    /// The client has said everything.
    End,
    /// Nothing came for as long as a connection may be idle.
    Idle,
    /// A line was begun and not ended in time.
    Slow,
    /// A line is longer than it may be.
    Long,
    /// A line is not UTF-8: the byte at which it is not.
    NotText(usize),
    /// The connection broke.
    Broken,
}

/// A line, and the right to be long while it is worked on.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) long: Option<OwnedSemaphorePermit>,
}

/// How much is read at a time.
const CHUNK: usize = 16 << 10;

/// The lines of one connection.
pub(crate) struct Lines<R> {
    source: R,
    limits: Limits,
    /// Who may read a long line; shared by all connections, so that memory has a bound.
    long_lines: Arc<Semaphore>,
    buffer: Vec<u8>,
    /// Bytes of the buffer in which no line ends.
    searched: usize,
    /// When the line in the buffer began.
    begun: Option<Instant>,
    long: Option<OwnedSemaphorePermit>,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(source: R, limits: Limits, long_lines: Arc<Semaphore>) -> Self {
        Self { source, limits, long_lines, buffer: Vec::new(), searched: 0, begun: None, long: None }
    }

    /// Where they come from.
    pub(crate) fn source(&self) -> &R {
        &self.source
    }

    /// The next line. Nothing is lost when the wait for it is given up and begun again.
    pub(crate) async fn next(&mut self) -> Next {
        loop {
            if let Some(line) = self.line_in_buffer() {
                return line;
            }
            if self.buffer.len() > self.limits.line_bytes {
                return Next::Long;
            }
            self.be_allowed_its_length().await;
            let deadline = self.deadline();
            self.buffer.reserve(CHUNK);
            match timeout_at(deadline, self.source.read_buf(&mut self.buffer)).await {
                Ok(Ok(0)) => return self.rest(),
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return Next::Broken,
                Err(_) => return if self.buffer.is_empty() { Next::Idle } else { Next::Slow },
            }
        }
    }

    /// Waits until the line in the buffer may be long, if it is. The client's time begins again: it waited for others.
    async fn be_allowed_its_length(&mut self) {
        if self.buffer.len() > self.limits.short_line_bytes && self.long.is_none() {
            self.long = Arc::clone(&self.long_lines).acquire_owned().await.ok();
            self.begun = None;
        }
    }

    /// One for the whole of a line, however often a byte of it comes.
    fn deadline(&mut self) -> Instant {
        if self.buffer.is_empty() {
            self.begun = None;
            return Instant::now() + self.limits.idle_time;
        }
        *self.begun.get_or_insert_with(Instant::now) + self.limits.line_time
    }

    fn line_in_buffer(&mut self) -> Option<Next> {
        let end = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n').map(|at| self.searched + at);
        self.searched = end.map_or(self.buffer.len(), |_| 0);
        let rest = self.buffer.split_off(end? + 1);
        let mut line = std::mem::replace(&mut self.buffer, rest);
        line.pop();
        Some(self.line(line))
    }

    /// What follows the last end of a line counts as a line.
    fn rest(&mut self) -> Next {
        let line = std::mem::take(&mut self.buffer);
        self.searched = 0;
        if line.is_empty() { Next::End } else { self.line(line) }
    }

    fn line(&mut self, bytes: Vec<u8>) -> Next {
        let long = self.long.take();
        self.begun = None;
        if bytes.len() > self.limits.line_bytes {
            return Next::Long;
        }
        match String::from_utf8(bytes) {
            Ok(text) => Next::Line(Line { text, long }),
            Err(error) => Next::NotText(error.utf8_error().valid_up_to()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const LIMITS: fn() -> Limits = || Limits {
        line_bytes: 20,
        short_line_bytes: 8,
        long_lines: 1,
        line_time: Duration::from_secs(30),
        idle_time: Duration::from_secs(300),
        ..Limits::default()
    };

    fn lines(long_lines: &Arc<Semaphore>) -> (DuplexStream, Lines<DuplexStream>) {
        let (client, server) = duplex(64);
        (client, Lines::new(server, LIMITS(), Arc::clone(long_lines)))
    }

    /// Runs on a clock that jumps to whatever is waited for.
    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(test);
    }

    async fn all(text: &[u8]) -> Vec<String> {
        let (mut client, mut lines) = lines(&Arc::new(Semaphore::new(1)));
        client.write_all(text).await.unwrap();
        drop(client);
        let mut found = Vec::new();
        loop {
            match lines.next().await {
                Next::Line(line) => found.push(line.text),
                end => {
                    found.push(format!("{end:?}"));
                    return found;
                }
            }
        }
    }

    #[test]
    fn lines_are_cut_at_their_ends_and_the_last_needs_none() {
        run(async {
            assert_eq!(all(b"a\n\nbc\r\nd").await, ["a", "", "bc\r", "d", "End"]);
            assert_eq!(all(b"").await, ["End"]);
        });
    }

    #[test]
    fn a_line_of_the_limit_is_read_and_one_byte_more_is_not() {
        run(async {
            let line = "x".repeat(20);
            assert_eq!(all(format!("{line}\na").as_bytes()).await, [line.as_str(), "a", "End"]);
            assert_eq!(all(format!("a\n{line}x\n").as_bytes()).await, ["a", "Long"]);
            assert_eq!(all(format!("{line}x").as_bytes()).await, ["Long"]);
        });
    }

    #[test]
    fn a_line_that_is_no_text_is_told_by_its_byte() {
        run(async { assert_eq!(all(b"a\nbc\xff\n").await, ["a", "NotText(2)"]) });
    }

    #[test]
    fn a_long_line_waits_until_the_one_before_was_worked_on() {
        run(async {
            let one_at_a_time = Arc::new(Semaphore::new(1));
            let ((mut first, mut first_lines), (mut second, mut second_lines)) =
                (lines(&one_at_a_time), lines(&one_at_a_time));
            first.write_all(b"0123456789").await.unwrap();
            let (begun, ()) = tokio::join!(first_lines.next(), async { first.write_all(b"\n").await.unwrap() });
            assert!(matches!(begun, Next::Line(_)));
            second.write_all(b"0123456789").await.unwrap();
            let mut waiting = Box::pin(second_lines.next());
            let early = tokio::time::timeout(Duration::from_millis(20), waiting.as_mut()).await;
            assert!(early.is_err(), "{early:?}");
            drop(begun);
            second.write_all(b"\n").await.unwrap();
            assert!(matches!(waiting.await, Next::Line(line) if line.text == "0123456789"));
        });
    }
}
