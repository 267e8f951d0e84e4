//! What was bought together: baskets of items, one after the other.
//!
//! A basket is an order, or all that a customer bought in a window; the caller decides. What follows from baskets is said
//! by [`crate::itemsets`] and [`crate::affinity`].

use std::ops::Range;

use crate::checks;
use crate::error::{Error, Result};

/// Baskets of items, checked once.
///
/// An item that stands twice in a basket counts once.
#[derive(Debug, Clone, Copy)]
pub struct Baskets<'b> {
    offsets: &'b [usize],
    items: &'b [u32],
    item_count: usize,
}

impl<'b> Baskets<'b> {
    /// Basket b holds `items[offsets[b]..offsets[b + 1]]`, codes below `item_count`. No offsets: no baskets.
    ///
    /// # Errors
    /// [`Error::Offsets`] where offsets do not divide the items; [`Error::Code`] for a code that is no item;
    /// [`Error::TooMany`] for more baskets, lines or items than 31 bits can number.
    pub fn new(offsets: &'b [usize], items: &'b [u32], item_count: usize) -> Result<Self> {
        checks::offsets("baskets", offsets, items.len())?;
        checks::codes("items of baskets", items, item_count)?;
        for (what, found) in [("basket lines", items.len()), ("items", item_count), ("baskets", offsets.len())] {
            within_31_bits(what, found)?;
        }
        Ok(Self { offsets, items, item_count })
    }

    /// How many baskets there are.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many items there are to choose from.
    pub fn item_count(&self) -> usize {
        self.item_count
    }

    /// The items of a basket as they were given.
    pub fn of(&self, basket: usize) -> &'b [u32] {
        &self.items[self.offsets[basket]..self.offsets[basket + 1]]
    }

    /// How many lines the baskets have together.
    pub fn line_count(&self) -> usize {
        self.items.len()
    }

    /// The baskets in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'b [u32]> {
        let items = self.items;
        self.offsets.windows(2).map(move |ends| &items[ends[0]..ends[1]])
    }

    /// Where the lines of a basket begin.
    pub(crate) fn line_of(&self, basket: usize) -> usize {
        self.offsets[basket]
    }

    /// In how many baskets each item is.
    pub fn item_baskets(&self) -> Vec<u32> {
        self.item_baskets_of(0..self.len())
    }

    /// In how many of some baskets each item is.
    pub(crate) fn item_baskets_of(&self, baskets: Range<usize>) -> Vec<u32> {
        let (mut counts, mut last) = (vec![0; self.item_count], vec![u32::MAX; self.item_count]);
        for basket in baskets {
            for item in self.of(basket) {
                let basket = basket as u32;
                let last = &mut last[*item as usize];
                counts[*item as usize] += u32::from(std::mem::replace(last, basket) != basket);
            }
        }
        counts
    }
}

/// The least count that is at least the part `support` of `count`: ⌈support · count⌉, and at least 1.
///
/// A product that only rounding lifts above a whole number counts as that number: 0.07 of 100 is 7, not 8.
///
/// # Errors
/// [`Error::Setting`] where `support` is not above 0 and at most 1.
pub fn least_count(support: f64, count: usize) -> Result<u32> {
    checks::setting("the support", support > 0.0 && support <= 1.0, "above 0 to 1", support)?;
    within_31_bits("baskets", count)?;
    let product = support * count as f64;
    let whole = product.round();
    let least = if (product - whole).abs() <= 1e-9 * whole.max(1.0) { whole } else { product.ceil() };
    Ok((least as u32).max(1))
}

fn within_31_bits(what: &'static str, found: usize) -> Result<()> {
    let limit = i32::MAX as usize;
    if found > limit { Err(Error::TooMany { what, found, limit }) } else { Ok(()) }
}
