//! The baskets of the published sets, as codes.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use muster_score::baskets::Baskets;
use muster_testkit::real_data;

/// Baskets as codes, with the names of the items.
pub struct Basketful {
    pub offsets: Vec<usize>,
    pub items: Vec<u32>,
    pub names: Vec<String>,
}

impl Basketful {
    pub fn of(baskets: &[Vec<String>]) -> Self {
        let names: Vec<String> = baskets.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        let code = |name: &String| names.binary_search(name).expect("every name is known") as u32;
        let mut offsets = vec![0];
        let mut items = Vec::new();
        for basket in baskets {
            items.extend(basket.iter().map(code));
            offsets.push(items.len());
        }
        Self { offsets, items, names }
    }

    pub fn baskets(&self) -> Baskets<'_> {
        Baskets::new(&self.offsets, &self.items, self.names.len()).expect("the baskets are right")
    }

    pub fn code(&self, name: &str) -> u32 {
        self.names.iter().position(|other| other == name).expect("the name is known") as u32
    }
}

/// The named set of baskets, or `None` where it is not to be had.
pub fn real_baskets(name: &str) -> Option<Basketful> {
    let path = real_data("baskets")?.join(name);
    Some(Basketful::of(&if name.ends_with(".csv") { separated_by_commas(&path) } else { separated_by_blanks(&path) }))
}

fn separated_by_commas(path: &Path) -> Vec<Vec<String>> {
    let file = File::open(path).expect("the baskets are there");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    reader.records().map(|record| record.expect("a line").iter().map(str::to_owned).collect()).collect()
}

fn separated_by_blanks(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).expect("the baskets are there");
    text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}
