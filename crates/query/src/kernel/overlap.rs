//! How many profiles each two of many segments share: bitmaps of a block, compared in stripes that stay in the cache.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use muster_language::Overlap;
use rayon::ThreadPool;
use rayon::prelude::*;

use super::block::truth;
use super::compile::{CompiledOverlap, CompiledRows};
use super::rows::{KernelRows, passing};
use super::tuples::Tuples;
use super::whole::{Content, Whole};

/// Words of each segment that are compared before the next ones are: those of two hundred fit a second cache.
const STRIPE: usize = 64;

/// Pairs of segments.
#[derive(Debug)]
pub(crate) struct Pairs {
    schema: SchemaRef,
    overlap: Arc<CompiledOverlap>,
    profiles: KernelRows,
}

impl Pairs {
    /// The table of the pairs of these segments; `rows` makes of compiled profiles those of the query.
    pub(crate) fn table(
        overlap: &Arc<CompiledOverlap>,
        rows: impl FnOnce(&Arc<CompiledRows>) -> KernelRows,
        pool: &Arc<ThreadPool>,
    ) -> Whole<Self> {
        let [one, other, profiles] = Overlap::COLUMNS;
        let fields = vec![
            Field::new(one, DataType::Utf8, false),
            Field::new(other, DataType::Utf8, false),
            Field::new(profiles, DataType::Int64, false),
        ];
        let (overlap, profiles) = (Arc::clone(overlap), rows(&overlap.profiles));
        Whole::new(Self { schema: Arc::new(Schema::new(fields)), overlap, profiles }, pool)
    }

    /// How many profiles each segment shares with itself and those behind it, one row after the other.
    fn counted(&self) -> Result<Vec<u64>> {
        let segments = self.overlap.segments.len();
        let none = || vec![0; segments * segments];
        (0..self.profiles.block_count()).into_par_iter().map(|block| self.of_block(block)).try_reduce(
            none,
            |mut sum, part| {
                sum.iter_mut().zip(part).for_each(|(sum, count)| *sum += count);
                Ok(sum)
            },
        )
    }

    fn of_block(&self, number: usize) -> Result<Vec<u64>> {
        let (block, compiled) = (self.profiles.block(number), &self.profiles.compiled);
        let all = Tuples::all(&block, &compiled.scope)?;
        let passing = passing(compiled, &all)?;
        let members = self.overlap.members.iter().map(|segment| {
            let members = truth(&all.value(segment)?);
            Ok(words(&passing.as_ref().map_or_else(|| members.clone(), |passing| passing & &members)))
        });
        let members = members.collect::<Result<Vec<_>>>()?;
        let mut shared = vec![0; members.len() * members.len()];
        for start in (0..all.count.div_ceil(64)).step_by(STRIPE) {
            block.keep_patience()?;
            let stripe = |words: &'_ Vec<u64>| start..words.len().min(start + STRIPE);
            for (place, one) in members.iter().enumerate() {
                let own = &one[stripe(one)];
                for (other, theirs) in members.iter().enumerate().skip(place) {
                    shared[place * members.len() + other] += in_both(own, &theirs[stripe(theirs)]);
                }
            }
        }
        Ok(shared)
    }
}

impl Content for Pairs {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn batch(&self, _memory: &MemoryReservation) -> Result<RecordBatch> {
        let counted = self.counted()?;
        let (segments, count) = (&self.overlap.segments, self.overlap.segments.len());
        let pairs = || (0..count).flat_map(|one| (0..count).map(move |other| (one, other)));
        let one: Vec<&str> = pairs().map(|(one, _)| segments[one].as_str()).collect();
        let other: Vec<&str> = pairs().map(|(_, other)| segments[other].as_str()).collect();
        let shared = pairs().map(|(one, other)| counted[one.min(other) * count + one.max(other)] as i64);
        let names = |names: Vec<&str>| -> ArrayRef { Arc::new(StringArray::from(names)) };
        let columns = vec![names(one), names(other), Arc::new(Int64Array::from_iter_values(shared))];
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

fn words(marks: &BooleanBuffer) -> Vec<u64> {
    marks.bit_chunks().iter_padded().collect()
}

fn in_both(one: &[u64], other: &[u64]) -> u64 {
    one.iter().zip(other).map(|(one, other)| u64::from((one & other).count_ones())).sum()
}
