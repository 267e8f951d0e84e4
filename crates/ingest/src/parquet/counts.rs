//! Pages whose encoding has counts of its own, which Arrow believes: they are unpacked once more and counted.
//!
//! Split streams are read past their end where the levels promise more values than there are, and delta lengths are
//! allocated before they are read. Few files have either, so only these pay for being read twice.

use std::fs::File;
use std::sync::Arc;

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

use super::thrift::Walk;

/// The first page, from zero, that counts what it does not hold, and what about it; nothing if all are sound.
pub(super) fn first_unsound(
    file: File,
    column: &ColumnChunkMetaData,
    rows: usize,
) -> Result<Option<(usize, &'static str)>, ParquetError> {
    let mut pages = SerializedPageReader::new(Arc::new(file), column, rows, None)?;
    let mut number = 0;
    while let Some(page) = pages.get_next_page()? {
        if let Some(problem) = problem(&page, column) {
            return Ok(Some((number, problem)));
        }
        number += 1;
    }
    Ok(None)
}

fn problem(page: &Page, column: &ColumnChunkMetaData) -> Option<&'static str> {
    if !page.is_data_page() {
        return None;
    }
    let Some((values, present)) = values_of(page, column) else {
        return Some("has levels that make no sense");
    };
    let sound = match page.encoding() {
        Encoding::BYTE_STREAM_SPLIT => width(column).is_some_and(|width| present <= values.len() / width),
        Encoding::DELTA_BINARY_PACKED | Encoding::DELTA_LENGTH_BYTE_ARRAY => {
            delta_count(values).is_some_and(|(count, _)| count == present)
        }
        Encoding::DELTA_BYTE_ARRAY => delta_count(values).is_some_and(|(prefixes, end)| {
            prefixes == present && delta_count(&values[end..]).is_some_and(|(suffixes, _)| suffixes == present)
        }),
        _ => true,
    };
    (!sound).then_some("counts more values than its bytes hold")
}

fn width(column: &ColumnChunkMetaData) -> Option<usize> {
    use parquet::basic::Type;
    match column.column_type() {
        Type::INT32 | Type::FLOAT => Some(4),
        Type::INT64 | Type::DOUBLE => Some(8),
        Type::FIXED_LEN_BYTE_ARRAY => {
            usize::try_from(column.column_descr().type_length()).ok().filter(|width| *width > 0)
        }
        Type::BOOLEAN | Type::INT96 | Type::BYTE_ARRAY => None,
    }
}

/// The bytes of a page behind its levels, and how many values these say are there.
fn values_of<'a>(page: &'a Page, column: &ColumnChunkMetaData) -> Option<(&'a [u8], usize)> {
    let descriptor = column.column_descr();
    let count = page.num_values() as usize;
    let most = descriptor.max_def_level();
    match page {
        Page::DataPage { buf, .. } => {
            let repeated = if descriptor.max_rep_level() > 0 { sized_levels(buf)?.1 } else { buf };
            if most == 0 {
                return Some((repeated, count));
            }
            let (levels, values) = sized_levels(repeated)?;
            Some((values, present(levels, most, count)?))
        }
        Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, .. } => {
            let (_, behind) = buf.split_at_checked(*rep_levels_byte_len as usize)?;
            let (levels, values) = behind.split_at_checked(*def_levels_byte_len as usize)?;
            let present = if most == 0 { count } else { present(levels, most, count)? };
            Some((values, present))
        }
        Page::DictionaryPage { .. } => None,
    }
}

/// Levels with their length in front, and what follows them.
fn sized_levels(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

/// How many of `count` levels, in runs and packed bits, are the largest, which means that a value is there.
fn present(levels: &[u8], largest: i16, count: usize) -> Option<usize> {
    let bits = (u16::BITS - largest.cast_unsigned().leading_zeros()) as usize;
    let (mut at, mut left, mut present) = (0, count, 0);
    while left > 0 {
        let mut walk = Walk::over(levels.get(at..)?);
        let head = walk.unsigned()?;
        at += walk.at;
        let length = usize::try_from(head >> 1).ok()?;
        let taken = if head & 1 == 0 {
            let level = levels.get(at..at + bits.div_ceil(8))?;
            at += level.len();
            let taken = length.min(left);
            present += if little_endian(level) == u64::from(largest.cast_unsigned()) { taken } else { 0 };
            taken
        } else {
            let packed = levels.get(at..at.checked_add(length.checked_mul(bits)?)?)?;
            at += packed.len();
            let taken = length.checked_mul(8)?.min(left);
            present +=
                (0..taken).filter(|value| unpacked(packed, value * bits, bits) == largest.cast_unsigned()).count();
            taken
        };
        if taken == 0 {
            return None;
        }
        left -= taken;
    }
    Some(present)
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

fn unpacked(packed: &[u8], from: usize, bits: usize) -> u16 {
    (0..bits).fold(0, |value, bit| {
        let at = from + bit;
        let set = packed[at / 8] >> (at % 8) & 1;
        value | u16::from(set) << bit
    })
}

/// How many numbers a delta-packed block says that it has, and where it ends.
fn delta_count(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut walk = Walk::over(bytes);
    let block = usize::try_from(walk.unsigned()?).ok()?;
    let parts = usize::try_from(walk.unsigned()?).ok().filter(|parts| *parts > 0)?;
    let count = usize::try_from(walk.unsigned()?).ok()?;
    walk.number()?;
    let in_part = block / parts;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        walk.number()?;
        let widths = walk.taken(parts)?;
        for width in widths {
            if left == 0 {
                break;
            }
            walk.taken(in_part.checked_mul((*width).into())?.div_ceil(8))?;
            left = left.saturating_sub(in_part.max(1));
        }
    }
    Some((count, walk.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_counted_in_runs_and_in_packed_bits() {
        // Five times 1, then eight of 0b1010_0110 of which six count.
        let levels = [10, 1, 3, 0b1010_0110];
        assert_eq!(present(&levels, 1, 11), Some(5 + 3));
        assert_eq!(present(&levels, 1, 5), Some(5));
        assert_eq!(present(&levels, 1, 14), None);
        assert_eq!(present(&[0, 1], 1, 1), None);
        assert_eq!(present(&[6, 2, 6, 3], 3, 6), Some(3));
    }

    #[test]
    fn a_delta_block_says_how_many_numbers_it_has_and_where_it_ends() {
        // Blocks of 128 in 4 parts, 5 numbers, the first 0; deltas of least 1, the first part 0 bits wide.
        let block = [0x80, 1, 4, 5, 0, 2, 0, 0, 0, 0, 99];
        assert_eq!(delta_count(&block), Some((5, 10)));
        assert_eq!(delta_count(&block[..8]), None);
        assert_eq!(delta_count(&[0x80, 1, 4, 1, 0]), Some((1, 5)));
        assert_eq!(delta_count(&[0x80, 1, 0, 1, 0]), None);
    }
}
