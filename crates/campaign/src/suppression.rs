//! Suppression: addresses that nothing goes to, whatever the campaign and its purpose.

use muster_catalog::Timestamp;
use muster_state::{Tx, params};

use crate::{AddressKey, Error};

/// Suppresses an address of the role `channel` (`email`). An address that already is keeps its first reason.
///
/// # Errors
/// [`Error::State`] where the state fails.
pub fn suppress(tx: &Tx<'_>, channel: &str, address: &AddressKey, reason: &str, at: Timestamp) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO suppression (channel, address_key, reason, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        params![channel, address, reason, at.micros()],
    )?;
    Ok(())
}

/// Whether an address of the role `channel` is suppressed.
///
/// # Errors
/// [`Error::State`] where the state fails.
pub fn is_suppressed(tx: &Tx<'_>, channel: &str, address: &AddressKey) -> Result<bool, Error> {
    Ok(tx.one(
        "SELECT EXISTS (SELECT 1 FROM suppression WHERE channel = ? AND address_key = ?)",
        params![channel, address],
        |row| row.get(0),
    )?)
}
