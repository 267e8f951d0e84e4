//! What a score says of itself: which data it comes from, how good it was on what came later, what speaks in it.
//!
//! A document of facts, tables and drawings, kept beside the score; how it is shown is for others to say.

use serde::{Deserialize, Serialize};

/// What a score says of itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Report {
    /// What it comes from, by name, in the order in which it is read.
    pub facts: Vec<(String, String)>,
    /// Sentences that a reader must not miss.
    pub remarks: Vec<String>,
    /// Figures.
    pub tables: Vec<ReportTable>,
    /// The same to look at.
    pub charts: Vec<Chart>,
}

/// A table of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportTable {
    /// What it shows.
    pub title: String,
    /// The names of its columns.
    pub header: Vec<String>,
    /// Its rows, a text for each column.
    pub rows: Vec<Vec<String>>,
}

/// A drawing of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chart {
    /// A bar for each name, to the left of nothing where it is below 0.
    Bars {
        /// What it shows.
        title: String,
        /// A name and its length.
        bars: Vec<(String, f64)>,
    },
    /// Lines through points.
    Lines {
        /// What it shows.
        title: String,
        /// What goes from left to right.
        across: String,
        /// What goes upwards.
        up: String,
        /// A name and its points, from left to right.
        lines: Vec<(String, Vec<(f64, f64)>)>,
    },
    /// Shades of a table.
    Grid {
        /// What it shows.
        title: String,
        /// What goes from left to right, and the names of its columns.
        across: (String, Vec<String>),
        /// What goes downwards, and the names of its rows.
        down: (String, Vec<String>),
        /// A number for each cell, row by row.
        cells: Vec<Vec<u64>>,
    },
}

impl Report {
    pub(super) fn fact(&mut self, name: &str, value: impl ToString) {
        self.facts.push((name.to_owned(), value.to_string()));
    }

    pub(super) fn remark(&mut self, sentence: impl Into<String>) {
        self.remarks.push(sentence.into());
    }

    pub(super) fn table<const N: usize>(&mut self, title: &str, header: [&str; N], rows: Vec<[String; N]>) {
        self.tables.push(ReportTable {
            title: title.to_owned(),
            header: header.map(str::to_owned).to_vec(),
            rows: rows.into_iter().map(|row| row.to_vec()).collect(),
        });
    }
}

/// A share as per cent with one digit.
pub(super) fn per_cent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
