//! Bars as inline SVG, in whole numbers, so that the same figures are the same bytes.

use crate::commands::load::thousands;
use crate::page::markup::{Markup, element, figure, paragraph, text};

/// A bar: what it stands for, and how much.
pub struct Bar {
    /// Shown when it is pointed at, and below the first and the last bar.
    pub label: String,
    /// Its height.
    pub rows: u64,
}

const WIDTH: u64 = 720;
const HEIGHT: u64 = 110;
const FOOT: u64 = 16;
const HEAD: u64 = 16;

/// More bars than this are thinner than a person can point at; the oldest are told in words instead.
const MOST_BARS: usize = 120;

/// The bars, the oldest on the left, scaled to the highest.
pub fn bars(bars: &[Bar]) -> Markup {
    let (older, shown) = bars.split_at(bars.len().saturating_sub(MOST_BARS));
    let (Some(first), Some(last)) = (shown.first(), shown.last()) else { return paragraph("no rows") };
    let highest = shown.iter().map(|bar| bar.rows).max().unwrap_or(0).max(1);
    let drawn = shown.iter().enumerate().map(|(place, bar)| drawn(place as u64, shown.len() as u64, bar, highest));
    let foot = HEAD + HEIGHT + FOOT - 3;
    let beginning = [words(0, HEAD - 4, &format!("highest: {}", thousands(highest))), words(0, foot, &first.label)];
    let end = (shown.len() > 1).then(|| element("g", "text-anchor=\"end\"", words(WIDTH, foot, &last.label)));
    let labels = beginning.into_iter().chain(end);
    let chart = element("svg", "viewBox=\"0 0 720 142\" role=\"img\"", drawn.chain(labels).collect());
    let before: u64 = older.iter().map(|bar| bar.rows).sum();
    let told = (!older.is_empty()).then(|| paragraph(&format!("before {}: {} rows", first.label, thousands(before))));
    std::iter::once(chart).chain(told).collect()
}

fn drawn(place: u64, count: u64, bar: &Bar, highest: u64) -> Markup {
    let (left, right) = (WIDTH * place / count, WIDTH * (place + 1) / count);
    let height = share(bar.rows, highest);
    let width = (right - left).saturating_sub(1).clamp(1, 48);
    let title = element("title", "", text(&format!("{}: {} rows", bar.label, thousands(bar.rows))));
    let top = HEAD + HEIGHT - height;
    figure("rect", &[("x", left), ("y", top), ("width", width), ("height", height)], title)
}

/// Pixels of `rows`; what is there is seen, however little it is.
fn share(rows: u64, highest: u64) -> u64 {
    let pixels = u128::from(rows) * u128::from(HEIGHT) / u128::from(highest);
    u64::try_from(pixels).unwrap_or(HEIGHT).max(u64::from(rows > 0))
}

fn words(x: u64, y: u64, words: &str) -> Markup {
    figure("text", &[("x", x), ("y", y)], text(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(label: &str, rows: u64) -> Bar {
        Bar { label: label.to_owned(), rows }
    }

    #[test]
    fn bars_are_as_high_as_their_share_of_the_highest() {
        let drawn = bars(&[bar("2025-01", 50), bar("2025-02", 100), bar("2025-03", 0), bar("2025-04", 1)]).into_text();
        let heights: Vec<&str> = drawn.split("height=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(heights, ["55", "110", "0", "1"]);
        assert!(drawn.contains("2025-02: 100 rows") && drawn.contains("highest: 100"), "{drawn}");
    }

    #[test]
    fn what_is_older_than_the_bars_is_told() {
        let many: Vec<Bar> = (0..122).map(|month| bar(&format!("m{month}"), 10)).collect();
        let drawn = bars(&many).into_text();
        assert_eq!(drawn.matches("<rect").count(), 120);
        assert!(drawn.contains("before m2: 20 rows"), "{drawn}");
    }

    #[test]
    fn without_bars_it_says_so() {
        assert_eq!(bars(&[]).into_text(), "<p>no rows</p>\n");
    }
}
