//! Where the server is, how to talk to it, and how long to wait.

use std::env;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use muster_catalog::{SmtpChannel, Tls};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use crate::Error;

/// Everything that is configured about one SMTP channel.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// Host name or address of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The sender: `Shop <news@shop.example>`.
    pub from: String,
    /// How the conversation is kept private.
    pub tls: Tls,
    /// Who signs in, if anybody has to.
    pub login: Option<Login>,
    /// How many conversations may be open at once; zero counts as one.
    pub connections: usize,
    /// How long each phase may take.
    pub timers: Timers,
    /// Certificate authorities (DER) that are trusted beside the public ones: a relay of one's own.
    pub authorities: Vec<Vec<u8>>,
}

impl SmtpSettings {
    /// The settings that `muster.toml` gives, with the timers of RFC 5321; the password is read from the environment.
    ///
    /// # Errors
    /// [`Error::NoPassword`] if the variable is not set, [`Error::HalfLogin`] if only one half of a login is given.
    pub fn of(channel: &SmtpChannel) -> Result<Self, Error> {
        let login = match (&channel.user, &channel.password_env) {
            (None, None) => None,
            (Some(user), Some(variable)) => Some(Login::from_env(&channel.name, user, variable)?),
            _ => return Err(Error::HalfLogin { channel: channel.name.clone() }),
        };
        Ok(Self {
            host: channel.host.clone(),
            port: channel.port,
            from: channel.from.clone(),
            tls: channel.tls,
            login,
            connections: channel.connections.into(),
            timers: Timers::default(),
            authorities: Vec::new(),
        })
    }
}

/// Who signs in.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: Password,
}

impl Login {
    fn from_env(channel: &str, user: &str, variable: &str) -> Result<Self, Error> {
        let password = env::var(variable)
            .map_err(|_| Error::NoPassword { channel: channel.to_owned(), variable: variable.to_owned() })?;
        Ok(Self { user: user.to_owned(), password: Password::new(password) })
    }
}

/// A password, which shows itself to nobody but the server.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Takes a password.
    pub fn new(password: String) -> Self {
        Self(password)
    }

    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// How long each phase of a conversation may take as a whole, however its bytes arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// Reaching one address of the server.
    pub connect: Duration,
    /// A command and its answer; the greeting; the TLS handshake.
    pub command: Duration,
    /// DATA and its answer.
    pub data: Duration,
    /// Each 64 KiB of the message.
    pub block: Duration,
    /// The answer to the message.
    pub terminator: Duration,
    /// QUIT and its answer: a politeness that is not worth waiting for.
    pub quit: Duration,
}

impl Default for Timers {
    /// RFC 5321, 4.5.3.2: 5 minutes for commands, 2 for DATA, 3 per block, 10 after the terminator; a minute to connect.
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            connect: minutes(1),
            command: minutes(5),
            data: minutes(2),
            block: minutes(3),
            terminator: minutes(10),
            quit: Duration::from_secs(2),
        }
    }
}

/// Settings that were found to be usable.
pub(super) struct Server {
    pub settings: SmtpSettings,
    pub tls: Arc<ClientConfig>,
    pub name: ServerName<'static>,
}

impl Server {
    pub fn new(channel: &str, settings: SmtpSettings) -> Result<Self, Error> {
        refuse_password_in_plain(channel, &settings)?;
        let name = ServerName::try_from(settings.host.clone())
            .map_err(|_| Error::Host { channel: channel.to_owned(), host: settings.host.clone() })?;
        let tls =
            tls(&settings.authorities).map_err(|source| Error::Authority { channel: channel.to_owned(), source })?;
        Ok(Self { settings, tls, name })
    }
}

fn refuse_password_in_plain(channel: &str, settings: &SmtpSettings) -> Result<(), Error> {
    let local = ["localhost", "127.0.0.1", "::1"].contains(&settings.host.as_str());
    if settings.login.is_some() && settings.tls == Tls::None && !local {
        return Err(Error::PasswordInPlain { channel: channel.to_owned(), host: settings.host.clone() });
    }
    Ok(())
}

/// TLS 1.2 or 1.3 by ring, trusting the public authorities and the given ones.
fn tls(authorities: &[Vec<u8>]) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    for authority in authorities {
        roots.add(CertificateDer::from(authority.clone()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
