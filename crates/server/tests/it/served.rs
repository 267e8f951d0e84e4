//! A server that runs in this process, and clients of its two doors.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use muster_server::{Error, Limits, Service, Standing, connect};
use serde_json::Value;
use tempfile::TempDir;

use crate::desk::Counting;

/// A running server; it ends with the test.
pub struct Served {
    /// Its desk.
    pub desk: Arc<Counting>,
    /// How it stands.
    pub standing: Arc<Standing>,
    /// Its data directory.
    pub data: TempDir,
    /// Where HTTP answers.
    pub address: SocketAddr,
    running: Option<JoinHandle<Result<(), Error>>>,
}

/// Runs a server with these limits.
pub fn served(limits: Limits) -> Served {
    let (desk, standing) = (Arc::new(Counting::default()), Arc::new(Standing::default()));
    let data = tempfile::tempdir().unwrap();
    let service = Service::bind("127.0.0.1:0".parse().unwrap(), data.path(), limits).unwrap();
    let address = service.address().unwrap();
    let (opened, wait) = mpsc::channel();
    let (worker, heard) = (Arc::clone(&desk), Arc::clone(&standing));
    let running = thread::spawn(move || service.run(worker, heard, move || opened.send(()).unwrap()));
    wait.recv().unwrap();
    Served { desk, standing, data, address, running: Some(running) }
}

impl Served {
    /// A connection to the write socket.
    pub fn client(&self) -> Client {
        let stream = connect(self.data.path()).unwrap().expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Client { lines: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    /// A connection to HTTP.
    pub fn http(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// What HTTP answers to these bytes until it closes.
    pub fn exchange(&self, request: &str) -> String {
        let mut stream = self.http();
        stream.write_all(request.as_bytes()).unwrap();
        everything(&mut stream)
    }

    /// How the server ended, once it has.
    pub fn ended(&mut self) -> Result<(), Error> {
        self.running.take().unwrap().join().unwrap()
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.running.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.desk.open();
        self.standing.stop();
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

/// All that comes until the other side closes; a connection that was reset has closed, too.
pub fn everything(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}, after {}", String::from_utf8_lossy(&bytes)),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// A client of the write socket.
pub struct Client {
    /// The connection.
    pub stream: UnixStream,
    lines: BufReader<UnixStream>,
}

impl Client {
    /// Sends a line.
    pub fn send(&mut self, line: &str) {
        self.stream.write_all(line.as_bytes()).unwrap();
        self.stream.write_all(b"\n").unwrap();
    }

    /// The next answer; none where the server has closed.
    pub fn answer(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends a line and reads its answer.
    pub fn ask(&mut self, line: &str) -> Value {
        self.send(line);
        self.answer().expect("an answer")
    }

    /// Asks for this.
    pub fn request(&mut self, request: &str) -> Value {
        self.ask(&line(request))
    }
}

/// The line of a request.
pub fn line(request: &str) -> String {
    format!("{{\"muster\":1,\"request\":{request}}}")
}

/// The line of these rows.
pub fn rows(rows: &str) -> String {
    line(&format!("{{\"rows\":{{\"table\":\"orders\",\"rows\":[{rows}]}}}}"))
}

/// Waits for what must come; a test that waits for ever is ended by its runner.
pub fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        thread::sleep(Duration::from_millis(2));
    }
}
