//! Comparison with all other profiles, and seeded chance (the scalar helpers of section 2).

use sha2::{Digest as _, Sha256};

use super::{Row, Sight, casts};
use crate::interpreter::error::{Error, Kind, Result};
use crate::interpreter::meaning::{CastTo, Expr};
use crate::world::{Value, power_of_ten};

impl<'a, 'w> Sight<'a, 'w> {
    /// "Another profile has the same value"; NULL for NULL.
    pub(super) fn is_double(&self, value: &Expr) -> Result<Value> {
        let same = self.profiles_with_the_same(value)?;
        Ok(same.map_or(Value::Null, |same| Value::Bool(same.len() > 1)))
    }

    /// "The lowest key among those"; NULL for NULL.
    pub(super) fn is_first_of(&self, value: &Expr) -> Result<Value> {
        let own = self.profile()?;
        let same = self.profiles_with_the_same(value)?;
        // The rows of the root stand in the order of their keys.
        Ok(same.map_or(Value::Null, |same| Value::Bool(same.first() == Some(&own))))
    }

    /// All profiles at the instant that have this one's value; `None` where it has none.
    fn profiles_with_the_same(&self, value: &Expr) -> Result<Option<Vec<Row>>> {
        let of = |profile: Row| Sight::of_row(self.worlds, self.past, profile).value(value);
        let own = of(self.profile()?)?;
        if own.is_null() {
            return Ok(None);
        }
        let mut same = Vec::new();
        for profile in self.past.rows(self.past.root()) {
            if of(profile)?.order(&own).is_eq() {
                same.push(profile);
            }
        }
        Ok(Some(same))
    }

    /// "Bucket = that mod n".
    pub(super) fn bucket(&self, count: u64, seed: &str, unit: Option<&Expr>) -> Result<Value> {
        let Some(hash) = self.hash(seed, unit)? else { return Ok(Value::Null) };
        Ok(i64::try_from(hash % count).map_or(Value::Null, Value::Int))
    }

    /// "Sample = that < fraction · 2⁶⁴".
    pub(super) fn sample(&self, fraction: &Value, seed: &str, unit: Option<&Expr>) -> Result<Value> {
        let Some(hash) = self.hash(seed, unit)? else { return Ok(Value::Null) };
        let exact = fraction.exact().and_then(|(units, scale)| {
            let limit = units.checked_mul(1 << 64)?;
            Some(i128::from(hash).checked_mul(power_of_ten(scale)?)? < limit)
        });
        let roughly = || fraction.double().is_some_and(|share| (hash as f64) < share * 2f64.powi(64));
        Ok(Value::Bool(exact.unwrap_or_else(roughly)))
    }

    /// "The first 8 bytes, big-endian, of SHA-256 over seed, a zero byte, and the profile key or the unit".
    fn hash(&self, seed: &str, unit: Option<&Expr>) -> Result<Option<u64>> {
        let unit = match unit {
            Some(unit) => self.value(unit)?,
            None => self.only_key()?,
        };
        let Value::Text(unit) = casts::cast(&unit, CastTo::Text, self.zone())? else { return Ok(None) };
        let digest = Sha256::new().chain_update(seed).chain_update([0]).chain_update(unit).finalize();
        let mut first = [0u8; 8];
        first.copy_from_slice(&digest[..8]);
        Ok(Some(u64::from_be_bytes(first)))
    }

    fn only_key(&self) -> Result<Value> {
        match self.past.key(self.profile()?).as_slice() {
            [key] => Ok(key.clone()),
            _ => Err(Error::nowhere(
                Kind::Unsupported,
                "the interpreter does not know the text of a key of several columns",
            )),
        }
    }
}
