//! What one caller may cost the others.

use std::time::Duration;

/// Every limit of the running process.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long a client of HTTP may take for its header; also how long a connection may be idle.
    pub header_time: Duration,
    /// How large a header may be.
    pub header_bytes: usize,
    /// How large a body may say that it is; none is read.
    pub body_bytes: u64,
    /// Connections of HTTP at a time; one more is closed.
    pub http_connections: usize,
    /// How long an answer about readiness is given again without a new look.
    pub readiness_age: Duration,
    /// Connections of the write socket at a time; one more is told so and closed.
    pub socket_connections: usize,
    /// How long a request may be.
    pub line_bytes: usize,
    /// Requests that are longer than this are few at a time: see `long_lines`.
    pub short_line_bytes: usize,
    /// Requests longer than `short_line_bytes` at a time, over all connections; the next waits.
    pub long_lines: usize,
    /// How long a client may take for the rest of a line that it began.
    pub line_time: Duration,
    /// How long a connection may stay without a request.
    pub idle_time: Duration,
    /// How long a client may take to read an answer.
    pub answer_time: Duration,
    /// Requests of one connection that wait for their commit at a time.
    pub in_flight: u32,
    /// Commands at a time, over all connections; one more is told to come back.
    pub commands: usize,
    /// Definitions that are counted, or wait to be, at a time, over all connections; one more is told to come back.
    pub previews: usize,
    /// Rows that wait for their commit, over all connections; a request that would exceed it is told to come back.
    pub queue_rows: usize,
    /// Bytes that wait for their commit, likewise.
    pub queue_bytes: usize,
    /// Rows in one commit; a request is never divided.
    pub group_rows: usize,
    /// How long the first row of a group waits for company.
    pub gather_time: Duration,
    /// How long clients of HTTP may finish after everything else has.
    pub farewell_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_time: Duration::from_secs(10),
            header_bytes: 16 << 10,
            body_bytes: 64 << 10,
            http_connections: 256,
            readiness_age: Duration::from_secs(1),
            socket_connections: 64,
            line_bytes: 16 << 20,
            short_line_bytes: 64 << 10,
            long_lines: 4,
            line_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(300),
            answer_time: Duration::from_secs(30),
            in_flight: 16,
            commands: 16,
            previews: 64,
            queue_rows: 100_000,
            queue_bytes: 64 << 20,
            group_rows: 10_000,
            gather_time: Duration::from_millis(2),
            farewell_time: Duration::from_secs(2),
        }
    }
}
