//! The conditions of `where` on raw rows: each row stays, is filtered by the first part that fails, or is rejected.

use arrow_array::{Array, BooleanArray, StringViewArray};
use arrow_schema::ArrowError;
use muster_catalog::{Condition, Verdict};

use crate::raw::{Fault, RawRows};
use crate::report::Reason;
use crate::typing::{as_texts, is_listed};

/// The conditions of a table, over the wanted columns of one file.
pub(crate) struct Sieve<'a> {
    pub parts: Vec<SievePart<'a>>,
}

/// One condition.
pub(crate) struct SievePart<'a> {
    pub condition: &'a Condition,
    /// The column among the wanted ones, and its name in the file.
    pub field: usize,
    pub name: String,
    /// Texts of that column that mean "no value".
    pub nulls: Vec<String>,
}

/// What the conditions say of raw rows.
pub(crate) struct Sifted {
    /// Whether each row stays; `None` if all do.
    pub stays: Option<BooleanArray>,
    /// How many rows each part left out.
    pub filtered: Vec<u64>,
    /// Rows on which a part has no verdict.
    pub faults: Vec<Fault>,
}

/// What the conditions say of one row.
enum Fate {
    Stays,
    FilteredBy(usize),
    RejectedBy(usize),
}

impl Sieve<'_> {
    pub fn sift(&self, raw: &RawRows) -> Result<Sifted, ArrowError> {
        let mut sifted = Sifted { stays: None, filtered: vec![0; self.parts.len()], faults: Vec::new() };
        if self.parts.is_empty() {
            return Ok(sifted);
        }
        let texts = self.parts.iter().map(|part| as_texts(&raw.fields[part.field])).collect::<Result<Vec<_>, _>>()?;
        let mut stays = Vec::with_capacity(raw.count);
        for row in 0..raw.count {
            let fate = self.fate(&texts, row);
            stays.push(matches!(fate, Fate::Stays));
            match fate {
                Fate::Stays => {}
                Fate::FilteredBy(part) => sifted.filtered[part] += 1,
                Fate::RejectedBy(part) => sifted.faults.push(self.fault(part, &texts[part], raw, row)),
            }
        }
        sifted.stays = stays.contains(&false).then(|| stays.into());
        Ok(sifted)
    }

    fn fate(&self, texts: &[StringViewArray], row: usize) -> Fate {
        for (number, (part, texts)) in self.parts.iter().zip(texts).enumerate() {
            let text = texts.is_valid(row).then(|| texts.value(row));
            match part.condition.verdict(text.filter(|text| !is_listed(text, &part.nulls))) {
                Verdict::Holds => {}
                Verdict::Fails => return Fate::FilteredBy(number),
                Verdict::Unreadable => return Fate::RejectedBy(number),
            }
        }
        Fate::Stays
    }

    fn fault(&self, part: usize, texts: &StringViewArray, raw: &RawRows, row: usize) -> Fault {
        let part = &self.parts[part];
        let reason = Reason::NotComparable { condition: part.condition.text.clone() };
        Fault::of_record(raw.lines.of(row), Some(&part.name), texts.value(row), reason)
    }
}
