//! A socket with a deadline, plain or under TLS, that carries lines.
//!
//! Every phase of a conversation gets one deadline for all its reads and writes together; before each of them the
//! socket's timer is set to what is left. This is the only clock of the crate, and nothing but waiting depends on it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::{Cause, Reply};

/// Octets of one line of a reply; RFC 5321 allows 512, Postfix accepts 2,048.
const LONGEST_LINE: usize = 2_048;

/// Lines of one reply; the longest EHLO answers have some twenty.
const MOST_LINES: usize = 128;

/// A connection to a server.
pub(super) struct Wire(BufReader<Stream>);

enum Stream {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Wire {
    /// Connects to the first address of `host` that answers, each within `patience`.
    pub fn connect(host: &str, port: u16, patience: Duration) -> Result<Self, Cause> {
        let unreachable = |error: io::Error| Cause::Unreachable(error.kind());
        let mut last = io::ErrorKind::NotFound;
        for address in (host, port).to_socket_addrs().map_err(unreachable)? {
            match TcpStream::connect_timeout(&address, patience) {
                Ok(tcp) => return Timed::new(tcp).map(Stream::Plain).map(Self::over).map_err(|error| cause(&error)),
                Err(error) => last = error.kind(),
            }
        }
        Err(Cause::Unreachable(last))
    }

    fn over(stream: Stream) -> Self {
        Self(BufReader::new(stream))
    }

    /// Gives everything from now on `patience`, until it is called again.
    pub fn within(&mut self, patience: Duration) {
        self.timed().deadline = Instant::now() + patience;
    }

    /// The address of this side, for EHLO.
    pub fn local_address(&self) -> Result<IpAddr, Cause> {
        let address = match self.0.get_ref() {
            Stream::Plain(timed) => timed.tcp.local_addr(),
            Stream::Tls(stream) => stream.sock.tcp.local_addr(),
        };
        address.map(|address| address.ip()).map_err(|error| cause(&error))
    }

    /// Puts TLS on the connection and finishes the handshake. What the server said before is not carried over: bytes
    /// that came in plain after its answer to STARTTLS are refused.
    pub fn encrypted(self, config: &Arc<ClientConfig>, name: &ServerName<'static>) -> Result<Self, Cause> {
        let Stream::Plain(mut timed) = self.silent()?.0.into_inner() else { return Err(Cause::Garbled) };
        let mut connection = ClientConnection::new(Arc::clone(config), name.clone()).map_err(Cause::Tls)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut timed).map_err(|error| cause(&error))?;
        }
        Ok(Self::over(Stream::Tls(Box::new(StreamOwned::new(connection, timed)))))
    }

    fn silent(self) -> Result<Self, Cause> {
        if self.0.buffer().is_empty() { Ok(self) } else { Err(Cause::Garbled) }
    }

    /// Writes `octets` and pushes them out. An answer that lies there before its question was asked is no answer:
    /// nothing is written then.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), Cause> {
        if !self.0.buffer().is_empty() {
            return Err(Cause::Garbled);
        }
        let stream = self.0.get_mut();
        stream.write_all(octets).and_then(|()| stream.flush()).map_err(|error| cause(&error))
    }

    /// Reads one reply.
    pub fn reply(&mut self) -> Result<Reply, Cause> {
        let mut lines = Vec::new();
        while lines.len() < MOST_LINES {
            let line = self.line()?;
            let continues = Reply::continues(&line);
            lines.push(line);
            if !continues {
                return Reply::parse(&lines).ok_or(Cause::Garbled);
            }
        }
        Err(Cause::Garbled)
    }

    fn line(&mut self) -> Result<String, Cause> {
        let mut line = Vec::new();
        let mut limited = (&mut self.0).take(LONGEST_LINE as u64);
        limited.read_until(b'\n', &mut line).map_err(|error| cause(&error))?;
        match line.last() {
            Some(b'\n') => Ok(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()),
            _ if line.len() == LONGEST_LINE => Err(Cause::Garbled),
            _ => Err(Cause::Closed),
        }
    }

    /// Hangs up.
    pub fn close(&mut self) {
        // The other side may have hung up first; then there is nothing left to do.
        let _ = self.timed().tcp.shutdown(Shutdown::Both);
    }

    fn timed(&mut self) -> &mut Timed {
        match self.0.get_mut() {
            Stream::Plain(timed) => timed,
            Stream::Tls(stream) => &mut stream.sock,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.write(octets),
            Self::Tls(stream) => stream.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(timed) => timed.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// A TCP connection whose next read or write ends at the deadline.
struct Timed {
    tcp: TcpStream,
    deadline: Instant,
}

impl Timed {
    /// Nagle's algorithm would hold the terminator back until the other side has acknowledged the message.
    fn new(tcp: TcpStream) -> io::Result<Self> {
        tcp.set_nodelay(true)?;
        Ok(Self { tcp, deadline: Instant::now() })
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(self.left()?)?;
        self.tcp.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(self.left()?)?;
        self.tcp.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// A timer of the socket shows as `WouldBlock` on some systems and as `TimedOut` on others.
fn cause(error: &io::Error) -> Cause {
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return Cause::Tls(tls.clone());
    }
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Cause::TimedOut,
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Cause::Closed,
        kind => Cause::Io(kind),
    }
}
