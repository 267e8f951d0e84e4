//! An SMTP server that follows a script: it says what it is told, hangs up when it is told, and keeps every byte.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The certificate that the server shows, in DER.
pub const CERTIFICATE: &[u8] = include_bytes!("certificate/localhost.der");
const KEY: &[u8] = include_bytes!("certificate/localhost.key.der");

/// When the server does something else than usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Greeting,
    Hello,
    StartTls,
    Login,
    Sender,
    Recipient,
    Data,
    Terminator,
    Reset,
}

/// What it does then.
#[derive(Debug, Clone)]
pub enum Act {
    /// Answers this, line ends and all.
    Say(String),
    /// Hangs up without a word.
    HangUp,
    /// Says nothing for ever.
    Silence,
    /// Says one byte every 50 milliseconds, for ever.
    Drip,
    /// Answers this, and then reads nothing any more.
    SayAndSleep(String),
}

pub fn say(line: &str) -> Act {
    Act::Say(format!("{line}\r\n"))
}

/// What the server has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// How often somebody connected.
    pub conversations: usize,
    /// Every command, in order, of all conversations.
    pub commands: Vec<String>,
    /// Every message that was answered with 250: recipient and the bytes between DATA's answer and the terminator.
    pub accepted: Vec<(String, Vec<u8>)>,
}

/// A running server. Its threads end with the process.
pub struct Fake {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    script: Mutex<VecDeque<(Moment, Act)>>,
    seen: Mutex<Seen>,
    extensions: &'static str,
    tls_first: bool,
}

impl Fake {
    /// Acts out `script`: each entry once, at the first moment of its kind; otherwise a server that accepts everything.
    pub fn start(script: Vec<(Moment, Act)>) -> Self {
        Self::offering("8BITMIME", script)
    }

    /// The same with these words in the answer to EHLO.
    pub fn offering(extensions: &'static str, script: Vec<(Moment, Act)>) -> Self {
        Self::listen(extensions, script, false)
    }

    /// The same under TLS from the first byte.
    pub fn encrypted() -> Self {
        Self::listen("8BITMIME", Vec::new(), true)
    }

    fn listen(extensions: &'static str, script: Vec<(Moment, Act)>, tls_first: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let shared =
            Arc::new(Shared { script: Mutex::new(script.into()), seen: Mutex::default(), extensions, tls_first });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&server);
                shared.seen().conversations += 1;
                thread::spawn(move || converse(&shared, stream));
            }
        });
        Self { port, shared }
    }

    /// Adds a line to the script.
    pub fn add(&self, moment: Moment, act: Act) {
        self.shared.script.lock().expect("no thread panics with it").push_back((moment, act));
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen()
    }

    pub fn recipients(&self) -> Vec<String> {
        self.seen().accepted.iter().map(|(recipient, _)| recipient.clone()).collect()
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no thread panics with it")
    }

    fn act(&self, moment: Moment) -> Option<Act> {
        let mut script = self.script.lock().expect("no thread panics with it");
        let index = script.iter().position(|(when, _)| *when == moment)?;
        script.remove(index).map(|(_, act)| act)
    }
}

trait Duplex: Read + Write + Send {}
impl<T: Read + Write + Send> Duplex for T {}

/// `None` ends the conversation.
fn converse(shared: &Shared, tcp: TcpStream) -> Option<()> {
    let raw = tcp.try_clone().ok()?;
    let mut stream: BufReader<Box<dyn Duplex>> =
        if shared.tls_first { encrypt(tcp)? } else { BufReader::new(Box::new(tcp)) };
    let ended = serve(shared, &mut stream, &raw);
    let _ = raw.shutdown(Shutdown::Both);
    ended
}

fn serve(shared: &Shared, stream: &mut BufReader<Box<dyn Duplex>>, raw: &TcpStream) -> Option<()> {
    answer(shared, stream, Moment::Greeting, "220 fake")?;
    let mut recipient = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let command = line.trim_end().to_owned();
        shared.seen().commands.push(command.clone());
        match command.split([' ', ':']).next()? {
            "EHLO" => answer(shared, stream, Moment::Hello, &format!("250-fake\r\n250 {}", shared.extensions))?,
            "STARTTLS" => {
                answer(shared, stream, Moment::StartTls, "220 go ahead")?;
                *stream = encrypt(raw.try_clone().ok()?)?;
            }
            "AUTH" => answer(shared, stream, Moment::Login, "235 welcome")?,
            "MAIL" => answer(shared, stream, Moment::Sender, "250 ok")?,
            "RCPT" => {
                recipient = command.trim_start_matches("RCPT TO:<").trim_end_matches('>').to_owned();
                answer(shared, stream, Moment::Recipient, "250 ok")?;
            }
            "DATA" => take_message(shared, stream, &recipient)?,
            "RSET" => answer(shared, stream, Moment::Reset, "250 ok")?,
            "QUIT" => {
                stream.get_mut().write_all(b"221 bye\r\n").ok()?;
                return None;
            }
            // The lines of AUTH LOGIN.
            _ => answer(shared, stream, Moment::Login, "235 welcome")?,
        }
    }
}

fn take_message(shared: &Shared, stream: &mut BufReader<Box<dyn Duplex>>, recipient: &str) -> Option<()> {
    match shared.act(Moment::Data) {
        None => stream.get_mut().write_all(b"354 go ahead\r\n").ok()?,
        Some(Act::Say(text)) if !text.starts_with("354") => return stream.get_mut().write_all(text.as_bytes()).ok(),
        Some(act) => perform(stream, act)?,
    }
    let mut content = Vec::new();
    while !content.ends_with(b"\r\n.\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        content.push(byte[0]);
    }
    content.truncate(content.len() - 3);
    let act = shared.act(Moment::Terminator);
    if act.is_none() {
        shared.seen().accepted.push((recipient.to_owned(), content));
    }
    perform(stream, act.unwrap_or_else(|| say("250 2.0.0 queued")))
}

fn answer(shared: &Shared, stream: &mut BufReader<Box<dyn Duplex>>, moment: Moment, usual: &str) -> Option<()> {
    perform(stream, shared.act(moment).unwrap_or_else(|| say(usual)))
}

fn perform(stream: &mut BufReader<Box<dyn Duplex>>, act: Act) -> Option<()> {
    match act {
        Act::Say(text) => stream.get_mut().write_all(text.as_bytes()).ok(),
        Act::HangUp => None,
        Act::Silence => sleep_for_ever(),
        Act::SayAndSleep(text) => {
            stream.get_mut().write_all(text.as_bytes()).ok()?;
            sleep_for_ever()
        }
        Act::Drip => loop {
            stream.get_mut().write_all(b"2").ok()?;
            thread::sleep(Duration::from_millis(50));
        },
    }
}

fn sleep_for_ever() -> Option<()> {
    loop {
        thread::sleep(Duration::from_secs(60));
    }
}

fn encrypt(tcp: TcpStream) -> Option<BufReader<Box<dyn Duplex>>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring speaks both versions")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(CERTIFICATE)], PrivatePkcs8KeyDer::from(KEY).into())
        .expect("certificate and key belong together");
    let connection = ServerConnection::new(Arc::new(config)).expect("the configuration is sound");
    Some(BufReader::new(Box::new(StreamOwned::new(connection, tcp))))
}
