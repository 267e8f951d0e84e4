//! What a category says about those who left: weight of evidence, index, z, and the information value of all together.
//!
//! Leavers and stayers stand for any group and the rest of its base. What the categories of a number are is said by
//! `binning`; here there are only codes.

use rayon::prelude::*;

use crate::checks::{self, both_kinds, is_weight, same_length};
use crate::error::Result;
use crate::selection::CHUNK;

/// Cells of a table in which several characteristics are counted together: 16 KB, half of a core's own cache.
const CELLS: usize = 1 << 12;
/// The lowest bit of a cell says who left.
const LEAVER_BITS: u32 = 1;
/// Rows whose cells are worked out before they are counted.
const ROWS_AT_ONCE: usize = 1024;

/// A characteristic of every row as a code.
#[derive(Debug, Clone, Copy)]
pub struct Coded<'a> {
    /// What it is called, for messages.
    pub name: &'a str,
    /// One code per row, below `categories`.
    pub codes: &'a [u32],
    /// How many categories there are, those without rows included.
    pub categories: usize,
}

/// Leavers and stayers of each category, by code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Rows that left.
    pub leavers: Vec<u64>,
    /// Rows that stayed.
    pub stayers: Vec<u64>,
}

/// What a characteristic says about the leavers.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// One for each category, by code.
    pub categories: Vec<CategoryEvidence>,
    /// Sum of the information of all categories that have evidence; 0 where the characteristic says nothing.
    pub information_value: f64,
}

/// What one category says.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryEvidence {
    /// Rows that left.
    pub leavers: u64,
    /// Rows that stayed.
    pub stayers: u64,
    /// Weight of evidence, above 0 where leavers are more than their share. A category without rows says 0. `None` only
    /// without smoothing, where all of its rows left or all stayed: the logarithm has no number for that.
    pub woe: Option<f64>,
    /// `(a_i/A − n_i/N) · woe_i`; 0 where there is no evidence.
    pub information: f64,
    /// 100 times its share of the leavers over its share of the base: 200 is twice as many as expected. `None` without rows.
    pub index: Option<f64>,
    /// Standard errors between its share of leavers and that of the base. `None` without rows.
    pub z: Option<f64>,
}

/// The evidence of every category.
///
/// `smoothing` is added to each count of leavers and of stayers (0.5 unless set; 0 for the plain definition). Categories
/// are those that have rows: one that nobody is in shifts nothing.
///
/// # Errors
/// [`crate::Error::OneClass`] where nobody left or nobody stayed, [`crate::Error::Setting`] where the smoothing is
/// negative or no number, [`crate::Error::Lengths`].
pub fn evidence(counts: &Counts, smoothing: f64) -> Result<Evidence> {
    same_length("stayers", counts.leavers.len(), counts.stayers.len())?;
    checks::setting("the smoothing", is_weight(smoothing), "0 or more", smoothing)?;
    let totals = Totals::of(counts, smoothing)?;
    let rows = counts.leavers.iter().zip(&counts.stayers);
    let categories: Vec<CategoryEvidence> =
        rows.map(|(leavers, stayers)| totals.evidence(*leavers, *stayers)).collect();
    let information_value = categories.iter().map(|category| category.information).sum();
    Ok(Evidence { categories, information_value })
}

impl Evidence {
    /// The weight of each category by code, 0 where there is none: what a score reads.
    pub fn weights(&self) -> Vec<f64> {
        self.categories.iter().map(|category| category.woe.unwrap_or(0.0)).collect()
    }
}

/// Leavers and stayers of each category of each characteristic, counted in parallel. Whole numbers: exact in any order.
///
/// # Errors
/// [`crate::Error::Lengths`] where a characteristic has more or fewer rows than `is_leaver`, [`crate::Error::Code`] where
/// a code is not below the number of categories.
pub fn counts(characteristics: &[Coded<'_>], is_leaver: &[bool]) -> Result<Vec<Counts>> {
    for characteristic in characteristics {
        same_length("codes of a characteristic", is_leaver.len(), characteristic.codes.len())?;
    }
    let of_groups: Vec<Result<Vec<Counts>>> = groups(characteristics)
        .into_par_iter()
        .map(|group| match Cells::of(group).and_then(|cells| cells.counts(is_leaver)) {
            Some(counts) => Ok(counts),
            None => group.iter().map(|characteristic| wide_counts(*characteristic, is_leaver)).collect(),
        })
        .collect();
    // The first group that has a wrong code is told of, whichever was counted first.
    Ok(of_groups.into_iter().collect::<Result<Vec<_>>>()?.concat())
}

/// Neighbours that are counted together: as many as fit into the cells, or one that does not fit.
fn groups<'a, 'c>(mut characteristics: &'a [Coded<'c>]) -> Vec<&'a [Coded<'c>]> {
    let mut groups = Vec::new();
    while !characteristics.is_empty() {
        let mut bits = LEAVER_BITS;
        let fitting = characteristics.iter().take_while(|characteristic| {
            bits += bits_of(characteristic);
            bits <= CELLS.trailing_zeros()
        });
        let (group, rest) = characteristics.split_at(fitting.count().max(1));
        groups.push(group);
        characteristics = rest;
    }
    groups
}

/// The bits of its greatest code.
fn bits_of(characteristic: &Coded<'_>) -> u32 {
    usize::BITS - characteristic.categories.saturating_sub(1).leading_zeros()
}

/// Characteristics whose codes, one beside the other and beside who left, number the cells of one table: a row is one
/// addition for all of them. Twenty characteristics of 3 to 22 categories make eight such tables: a million rows of them
/// take 4.3 ms, where twenty tables take 10.9.
struct Cells<'a, 'c> {
    characteristics: &'a [Coded<'c>],
    /// How far the codes of each are moved to the left.
    shifts: Vec<u32>,
}

impl<'a, 'c> Cells<'a, 'c> {
    fn of(characteristics: &'a [Coded<'c>]) -> Option<Self> {
        let (mut bits, mut shifts) = (LEAVER_BITS, Vec::new());
        for characteristic in characteristics {
            shifts.push(bits);
            bits += bits_of(characteristic);
        }
        (bits <= CELLS.trailing_zeros()).then_some(Self { characteristics, shifts })
    }

    /// The counts of each characteristic, or `None` where a code is none of its categories.
    fn counts(&self, is_leaver: &[bool]) -> Option<Vec<Counts>> {
        let chunks = is_leaver.par_chunks(CHUNK).enumerate();
        let tables: Option<Vec<Box<[u32; CELLS]>>> =
            chunks.map(|(chunk, is_leaver)| self.table(chunk * CHUNK, is_leaver)).collect();
        self.counts_of_each(&tables?)
    }

    /// The rows from `start` on by cell, or `None` where a code has more bits than its characteristic.
    fn table(&self, start: usize, is_leaver: &[bool]) -> Option<Box<[u32; CELLS]>> {
        let (mut table, mut cells) = (Box::new([0; CELLS]), [0; ROWS_AT_ONCE]);
        for (place, is_leaver) in is_leaver.chunks(ROWS_AT_ONCE).enumerate() {
            let cells = &mut cells[..is_leaver.len()];
            cells.iter_mut().zip(is_leaver).for_each(|(cell, is_leaver)| *cell = u32::from(*is_leaver));
            let start = start + place * ROWS_AT_ONCE;
            for (characteristic, shift) in self.characteristics.iter().zip(&self.shifts) {
                let codes = &characteristic.codes[start..start + cells.len()];
                if put_beside(cells, codes, *shift) >> bits_of(characteristic) > 0 {
                    return None;
                }
            }
            cells.iter().for_each(|cell| table[*cell as usize % CELLS] += 1);
        }
        Some(table)
    }

    fn counts_of_each(&self, tables: &[Box<[u32; CELLS]>]) -> Option<Vec<Counts>> {
        let of = |characteristic: &Coded<'_>| vec![[0_u64; 2]; characteristic.categories];
        let mut pairs: Vec<Vec<[u64; 2]>> = self.characteristics.iter().map(of).collect();
        for cell in 0..CELLS {
            let rows: u64 = tables.iter().map(|table| u64::from(table[cell])).sum();
            if rows == 0 {
                continue;
            }
            for ((pairs, characteristic), shift) in pairs.iter_mut().zip(self.characteristics).zip(&self.shifts) {
                let code = cell >> shift & ((1 << bits_of(characteristic)) - 1);
                pairs.get_mut(code)?[cell % 2] += rows;
            }
        }
        let counts = |pairs: Vec<[u64; 2]>| Counts {
            leavers: pairs.iter().map(|pair| pair[1]).collect(),
            stayers: pairs.iter().map(|pair| pair[0]).collect(),
        };
        Some(pairs.into_iter().map(counts).collect())
    }
}

/// Puts codes beside what the cells hold already, and returns all bits that any code has.
fn put_beside(cells: &mut [u32], codes: &[u32], shift: u32) -> u32 {
    let mut all = 0;
    for (cell, code) in cells.iter_mut().zip(codes) {
        all |= code;
        *cell |= code << shift;
    }
    all
}

fn wide_counts(characteristic: Coded<'_>, is_leaver: &[bool]) -> Result<Counts> {
    let Coded { name, codes, categories } = characteristic;
    checks::codes(name, codes, categories)?;
    // Wide tables are few, so that 10,000 categories do not cost more to add up than to count.
    let chunk = CHUNK.max(4 * categories);
    let parts: Vec<Vec<u32>> = codes
        .par_chunks(chunk)
        .zip(is_leaver.par_chunks(chunk))
        .map(|(codes, is_leaver)| pairs_counted(codes, is_leaver, categories))
        .collect();
    let total = |place: usize| parts.iter().map(|part| u64::from(part[place])).sum();
    Ok(Counts {
        leavers: (0..categories).map(|code| total(2 * code + 1)).collect(),
        stayers: (0..categories).map(|code| total(2 * code)).collect(),
    })
}

/// Stayers and leavers of each code, one beside the other, so that a row is one addition.
fn pairs_counted(codes: &[u32], is_leaver: &[bool], categories: usize) -> Vec<u32> {
    let mut counts = vec![0_u32; 2 * categories];
    for (code, is_leaver) in codes.iter().zip(is_leaver) {
        counts[2 * *code as usize + usize::from(*is_leaver)] += 1;
    }
    counts
}

/// The base: all leavers, all stayers, and what smoothing adds to them.
struct Totals {
    leavers: f64,
    stayers: f64,
    categories: f64,
    smoothing: f64,
}

impl Totals {
    fn of(counts: &Counts, smoothing: f64) -> Result<Self> {
        let (leavers, stayers) = both_kinds(counts.leavers.iter().sum(), counts.stayers.iter().sum())?;
        let rows = counts.leavers.iter().zip(&counts.stayers);
        let categories = rows.filter(|(leavers, stayers)| *leavers + *stayers > 0).count();
        Ok(Self { leavers: leavers as f64, stayers: stayers as f64, categories: categories as f64, smoothing })
    }

    fn evidence(&self, leavers: u64, stayers: u64) -> CategoryEvidence {
        let (left, stayed) = (leavers as f64, stayers as f64);
        let rows = left + stayed;
        let base = self.leavers + self.stayers;
        let expected = self.leavers / base;
        let woe = self.woe(left, stayed);
        CategoryEvidence {
            leavers,
            stayers,
            woe,
            information: (left / self.leavers - stayed / self.stayers) * woe.unwrap_or(0.0),
            index: (rows > 0.0).then(|| 100.0 * (left / self.leavers) / (rows / base)),
            z: (rows > 0.0).then(|| (left / rows - expected) / (expected * (1.0 - expected) / rows).sqrt()),
        }
    }

    fn woe(&self, left: f64, stayed: f64) -> Option<f64> {
        if left + stayed == 0.0 {
            return Some(0.0);
        }
        let added = self.smoothing * self.categories;
        let left = (left + self.smoothing) / (self.leavers + added);
        let stayed = (stayed + self.smoothing) / (self.stayers + added);
        (left > 0.0 && stayed > 0.0).then(|| (left / stayed).ln())
    }
}
