//! The report of scores as one page that needs nothing beside it: facts, tables, and drawings as inline SVG in whole numbers,
//! so that the same figures are the same bytes.

use chrono_tz::Tz;
use muster_segment::{Chart, ReportTable, ScoreStanding, ScoreTable};

use super::words;
use crate::commands::load::thousands;
use crate::page::markup::{Cell, Markup, document, element, figure, line, paragraph, section, table, text};

/// The page of a workspace's scores.
pub fn page(workspace: &str, standing: &[ScoreStanding], zone: Tz) -> String {
    let title = format!("Scores of {workspace}");
    let head = element("h1", "", text(&title));
    let scores = standing.iter().map(|standing| score(standing, zone));
    document(&title, std::iter::once(head).chain(scores).collect())
}

fn score(standing: &ScoreStanding, zone: Tz) -> Markup {
    let Some(kept) = &standing.newest else {
        return section(&standing.score, [paragraph("not computed yet")]);
    };
    let said = paragraph(&words::line(kept, zone));
    let stale = words::stale(standing, zone).map(|stale| alarm(&stale));
    let remarks = kept.report.remarks.iter().map(|remark| alarm(remark));
    let beginning = std::iter::once(said).chain(stale).chain(remarks).chain([facts(kept)]);
    let drawn = kept.report.charts.iter().map(drawing);
    let figures = kept.report.tables.iter().map(figures);
    section(&standing.score, beginning.chain(drawn).chain(figures).collect::<Vec<_>>())
}

fn alarm(sentence: &str) -> Markup {
    element("p", "class=\"alarm\"", text(sentence))
}

fn facts(kept: &ScoreTable) -> Markup {
    let row = |(name, value): &(String, String)| vec![Cell::words(name), Cell::words(value)];
    table(&["", ""], kept.report.facts.iter().map(row).collect(), "nothing is said of it")
}

fn figures(found: &ReportTable) -> Markup {
    let cell = |(place, text): (usize, &String)| match words::is_figures(found, place) {
        true => Cell::Figure(text.clone()),
        false => Cell::words(text),
    };
    let rows = found.rows.iter().map(|row| row.iter().enumerate().map(cell).collect()).collect();
    let header: Vec<&str> = found.header.iter().map(String::as_str).collect();
    let heading = element("h3", "", text(&found.title));
    [heading, table(&header, rows, "nothing")].into_iter().collect()
}

/// Pixels of a drawing, and what is left free around its lines.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 320;
const MARGIN: u64 = 40;

fn drawing(chart: &Chart) -> Markup {
    let (title, drawn) = match chart {
        Chart::Bars { title, bars } => (title, self::bars(bars)),
        Chart::Lines { title, across, up, lines } => (title, self::lines(across, up, lines)),
        Chart::Grid { title, across, down, cells } => (title, grid(across, down, cells)),
    };
    [element("h3", "", text(title)), drawn].into_iter().collect()
}

/// A bar a line, to the right of the middle where it is above 0 and to the left where it is below.
fn bars(bars: &[(String, f64)]) -> Markup {
    let longest = bars.iter().map(|(_, length)| length.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let pixels = |length: f64| (length.abs() / longest * 200.0).round() as u64;
    let middle = WIDTH - 260;
    let bar = |(place, (name, length)): (usize, &(String, f64))| {
        let (top, long) = (place as u64 * 22, pixels(*length));
        let left = if *length < 0.0 { middle - long } else { middle };
        let title = element("title", "", text(&format!("{name}: {length:+.4}")));
        let bar = figure("rect", &[("x", left), ("y", top + 4), ("width", long.max(1)), ("height", 14)], title);
        let figures = label(middle + 210, top + 15, &format!("{length:+.2}"));
        [label(0, top + 15, name), bar, figures].into_iter().collect::<Markup>()
    };
    let drawn: Markup = bars.iter().enumerate().map(bar).collect();
    drawn.within(WIDTH, bars.len() as u64 * 22 + 6)
}

/// Lines over a square of shares, both from 0 to 1.
fn lines(across: &str, up: &str, lines: &[(String, Vec<(f64, f64)>)]) -> Markup {
    let place = |share: f64, from: u64, long: u64| from + (share.clamp(0.0, 1.0) * long as f64).round() as u64;
    let (wide, high) = (WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN);
    let point = |(x, y): &(f64, f64)| (place(*x, MARGIN, wide), HEIGHT - place(*y, MARGIN, high));
    let frame = [(0.0, 1.0), (0.0, 0.0), (1.0, 0.0)].iter().map(point).collect::<Vec<_>>();
    const CLASSES: [&str; 3] = ["first", "second", "third"];
    let drawn = lines.iter().enumerate().map(|(nth, (name, points))| {
        let class = CLASSES[nth.min(CLASSES.len() - 1)];
        let points: Vec<(u64, u64)> = points.iter().map(point).collect();
        let key = MARGIN + 14 * nth as u64 + 10;
        let sample = line(class, &[(MARGIN + 10, key - 4), (MARGIN + 34, key - 4)]);
        [line(class, &points), sample, label(MARGIN + 40, key, name)].into_iter().collect::<Markup>()
    });
    let axes = [
        line("axis", &frame),
        label(MARGIN, HEIGHT - MARGIN + 16, "0 %"),
        label(WIDTH - MARGIN - 30, HEIGHT - MARGIN + 16, "100 %"),
        label(MARGIN + wide / 3, HEIGHT - MARGIN + 30, across),
        label(0, MARGIN - 14, up),
    ];
    let all: Markup = axes.into_iter().chain(drawn).collect();
    all.within(WIDTH, HEIGHT)
}

const SHADES: [&str; 5] = [
    "class=\"figure shade1\"",
    "class=\"figure shade2\"",
    "class=\"figure shade3\"",
    "class=\"figure shade4\"",
    "class=\"figure shade5\"",
];

/// A cell is the darker the more it holds, by orders of magnitude: a few are seen beside millions.
fn grid(across: &(String, Vec<String>), down: &(String, Vec<String>), cells: &[Vec<u64>]) -> Markup {
    let most = cells.iter().flatten().copied().max().unwrap_or_default().max(1);
    let shade = |count: u64| {
        let part = (count as f64).ln_1p() / (most as f64).ln_1p();
        if count == 0 { "class=\"figure\"" } else { SHADES[((part * 5.0) as usize).min(4)] }
    };
    let heads = across.1.iter().map(|name| element("th", "", text(name)));
    let corner = element("th", "", text(&format!("{} \u{2193}  {} \u{2192}", down.0, across.0)));
    let head = element("tr", "", std::iter::once(corner).chain(heads).collect());
    let rows = down.1.iter().zip(cells).map(|(name, counts)| {
        let cells = counts.iter().map(|count| element("td", shade(*count), text(&thousands(*count))));
        element("tr", "", std::iter::once(element("th", "", text(name))).chain(cells).collect())
    });
    element("table", "", std::iter::once(head).chain(rows).collect())
}

fn label(x: u64, y: u64, words: &str) -> Markup {
    figure("text", &[("x", x), ("y", y)], text(words))
}
