//! Keys that are the same for ever: of a message, of an address, of a text.
//!
//! All are digests over fields written with their lengths, so that no two lists of fields read alike.

use std::fmt::{self, Write};

use hmac::{Hmac, KeyInit, Mac};
use muster_state::{FromSql, FromSqlResult, SqlResult, ToSql, ToSqlOutput, Tx, ValueRef, params};
use sha2::{Digest as _, Sha256};

use crate::Error;

/// The workspace's secret: without it nobody can compute, or test a guess at, a key of this workspace.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Keeps `random`, 32 bytes from the operating system, as the workspace's secret, unless it has one already.
    ///
    /// # Errors
    /// [`Error::State`] where the state fails.
    pub fn keep(tx: &Tx<'_>, random: [u8; 32]) -> Result<(), Error> {
        tx.execute("INSERT INTO secrets VALUES ('workspace', ?) ON CONFLICT DO NOTHING", params![random])?;
        Ok(())
    }

    /// The workspace's secret.
    ///
    /// # Errors
    /// [`Error::NoSecret`] where none was kept yet.
    pub fn read(tx: &Tx<'_>) -> Result<Self, Error> {
        let kept = tx.maybe("SELECT bytes FROM secrets WHERE name = 'workspace'", [], |row| row.get(0))?;
        kept.map(Secret).ok_or(Error::NoSecret)
    }

    /// A secret that is none, for tests and simulations: their keys are the same in every workspace.
    pub fn fixed(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn digest(&self, purpose: &str, fields: &[&str]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        for field in [purpose].iter().chain(fields) {
            mac.update(&(field.len() as u64).to_be_bytes());
            mac.update(field.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What makes one message of one campaign to one profile unique, whatever the version, the run or the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DedupeKey([u8; 32]);

impl DedupeKey {
    /// The key of the message that `step` of `campaign` sends to a profile over `channel` on its journey number
    /// `occurrence`.
    pub fn of(secret: &Secret, campaign: &str, step: &str, profile: &str, occurrence: u32, channel: &str) -> Self {
        Self(secret.digest("decision", &[campaign, step, profile, &occurrence.to_string(), channel]))
    }

    /// The key's first half in hexadecimal: what stands before the `@` of the `Message-ID`.
    pub fn message_key(&self) -> String {
        hexadecimal(&self.0[..16])
    }

    /// A number below `bound`, always the same one: spreads retries without chance.
    pub(crate) fn spread(&self, bound: i64) -> i64 {
        let bytes = self.0[16..24].try_into().expect("eight of thirty-two bytes are eight");
        i64::try_from(u64::from_be_bytes(bytes) >> 1).expect("63 bits fit") % bound.max(1)
    }
}

/// An address as a keyed hash: equal addresses have equal keys, and the key does not give the address away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressKey([u8; 32]);

impl AddressKey {
    /// The key of `address` for the role `channel` (`email`), capitals and blanks around it aside.
    pub fn of(secret: &Secret, channel: &str, address: &str) -> Self {
        Self(secret.digest("address", &[channel, &address.trim().to_lowercase()]))
    }
}

/// The SHA-256 of a text, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest(String);

impl Digest {
    /// The digest of `text`.
    pub fn of(text: &str) -> Self {
        Self(hexadecimal(&Sha256::digest(text)))
    }

    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `profile` belongs to the share that is held out: by a stable hash, so that the same profile falls on the same
/// side whenever, wherever and in whatever order it is asked.
///
/// `share` is from 0 to 1; the first eight bytes of SHA-256 over seed, a zero byte and profile key, read as a number of
/// 64 bits, are below that share of all numbers.
pub(crate) fn is_held_out(seed: &str, profile: &str, share: f64) -> bool {
    let digest = Sha256::new().chain_update(seed).chain_update([0]).chain_update(profile).finalize();
    let bytes = digest[..8].try_into().expect("eight of thirty-two bytes are eight");
    (u64::from_be_bytes(bytes) as f64) < share * TWO_TO_THE_64
}

const TWO_TO_THE_64: f64 = 18_446_744_073_709_551_616.0;

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes any text");
        text
    })
}

impl ToSql for DedupeKey {
    fn to_sql(&self) -> SqlResult<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for DedupeKey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self)
    }
}

impl ToSql for AddressKey {
    fn to_sql(&self) -> SqlResult<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for AddressKey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: Secret = Secret([7; 32]);

    #[test]
    fn every_field_of_a_dedupe_key_counts_and_none_runs_into_the_next() {
        let key = |campaign, step, profile, occurrence, channel| {
            DedupeKey::of(&SECRET, campaign, step, profile, occurrence, channel)
        };
        let plain = key("lapsed", "remind", "C1", 1, "email");
        assert_eq!(plain, key("lapsed", "remind", "C1", 1, "email"));
        for other in [
            key("lapse", "dremind", "C1", 1, "email"),
            key("lapsed", "remind", "C", 11, "email"),
            key("lapsed", "remind", "C1", 2, "email"),
            key("lapsed", "remind", "C1", 1, "console"),
            DedupeKey::of(&Secret([8; 32]), "lapsed", "remind", "C1", 1, "email"),
        ] {
            assert_ne!(plain, other);
        }
    }

    #[test]
    fn an_address_has_one_key_however_it_is_written() {
        let key = |address| AddressKey::of(&SECRET, "email", address);
        assert_eq!(key(" Ann@Shop.Example "), key("ann@shop.example"));
        assert_ne!(key("ann@shop.example"), key("anne@shop.example"));
        assert_ne!(key("ann@shop.example"), AddressKey::of(&SECRET, "sms", "ann@shop.example"));
    }

    #[test]
    fn about_the_share_is_held_out_and_always_the_same_profiles() {
        let held_out = |seed: &str, share: f64| -> Vec<u32> {
            (0..10_000).filter(|number| is_held_out(seed, &format!("C{number:05}"), share)).collect()
        };
        let tenth = held_out("lapsed", 0.1);
        assert!((900..1_100).contains(&tenth.len()), "{} of 10,000 at a tenth", tenth.len());
        assert_eq!(tenth, held_out("lapsed", 0.1));
        assert_ne!(tenth, held_out("birthday", 0.1));
        let fifth = held_out("lapsed", 0.2);
        assert!(tenth.iter().all(|profile| fifth.contains(profile)), "a larger share holds the smaller one");
    }

    #[test]
    fn the_control_hash_is_one_that_anyone_can_compute() {
        // printf 'lapsed\0C00001' | sha256sum | cut -c1-16 gives cadb886d264c5d6e, which is 0.792412 of 2^64.
        assert!(!is_held_out("lapsed", "C00001", 0.7924));
        assert!(is_held_out("lapsed", "C00001", 0.7925));
    }
}
