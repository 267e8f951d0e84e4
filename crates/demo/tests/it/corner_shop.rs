//! The dataset `corner-shop` is what the demo writes, and its configuration is one that muster reads.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use muster_demo::shop::{AS_OF, Format, Shop, TABLES};
use muster_demo::workspace::{self, MAIL_PORT, Setting};

use crate::tables::{Table, text, write};

const SHOP: Shop = Shop { customers: 2_000, seed: 42 };
const SETTING: Setting = Setting { format: Format::CsvGz, mail_port: MAIL_PORT, days: 0 };
const AGAIN: &str = "write it again with `cargo run -p muster-demo --example corner_shop`";

fn dataset() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/corner-shop")
}

#[test]
fn writing_the_tables_again_gives_the_same_content() {
    let shop = write(SHOP, Format::CsvGz);
    for table in TABLES {
        let ending = if matches!(table, "products" | "stores") { "csv" } else { "csv.gz" };
        let file = format!("{table}.{ending}");
        let (kept, made) = (dataset().join(workspace::FILES).join(&file), shop.path(&file));
        assert!(text(&kept) == text(&made), "{file} differs; {AGAIN}");
    }
}

#[test]
fn writing_the_workspace_again_gives_the_same_files() {
    let folder = tempfile::tempdir().unwrap();
    workspace::write(folder.path(), SETTING).unwrap();
    let made = texts(folder.path());
    assert!(made.contains(Path::new("templates/winback.nl.html")), "{made:?}");
    for path in &made {
        let (kept, made) = (dataset().join(path), folder.path().join(path));
        assert!(kept.exists() && text(&kept) == text(&made), "{} differs; {AGAIN}", path.display());
    }
    let kept: Vec<PathBuf> = texts(&dataset()).into_iter().filter(|path| !is_besides(path)).collect();
    assert_eq!(kept, made.into_iter().collect::<Vec<PathBuf>>(), "{AGAIN}");
}

/// What the dataset has beyond the workspace's texts.
fn is_besides(path: &Path) -> bool {
    path.starts_with(workspace::FILES) || path.starts_with("data") || path == Path::new("README.md")
}

/// The files below `folder`, by their paths in it.
fn texts(folder: &Path) -> BTreeSet<PathBuf> {
    fn walk(folder: &Path, from: &Path, found: &mut BTreeSet<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => walk(&path, from, found),
                false => drop(found.insert(path.strip_prefix(from).unwrap().to_path_buf())),
            }
        }
    }
    let mut found = BTreeSet::new();
    walk(folder, folder, &mut found);
    found
}

#[test]
fn every_shipped_segment_is_embedded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../queries");
    let is_query =
        |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "sql") && !path.starts_with("checks");
    let shipped: Vec<(String, String)> = texts(&folder)
        .iter()
        .filter(is_query)
        .map(|path| (path.display().to_string(), text(&folder.join(path))))
        .collect();
    let embedded: Vec<(String, String)> =
        workspace::QUERIES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    assert_eq!(embedded, shipped);
}

#[test]
fn the_configuration_is_read_without_a_problem_and_declares_every_column_of_the_files() {
    let catalog = muster_catalog::parse("muster.toml", &workspace::muster_toml(SETTING)).unwrap();
    for table in &catalog.tables {
        let file = if table.name == "profiles" { "customers" } else { &table.name };
        let ending = if matches!(file, "products" | "stores") { "csv" } else { "csv.gz" };
        let path = dataset().join(workspace::FILES).join(format!("{file}.{ending}"));
        let declared: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(declared, Table::of_csv(&path).names(), "{file}");
        assert!(table.columns.iter().all(|column| column.column_type.is_some()), "{file}");
    }
    assert_eq!(catalog.tables.len(), TABLES.len());
}

#[test]
fn the_configuration_says_the_format_the_port_and_the_instant() {
    let toml = workspace::muster_toml(Setting { format: Format::Parquet, mail_port: 40_025, days: 0 });
    assert!(toml.contains("source = \"files/orders*.parquet\"\n") && !toml.contains(".csv*"));
    assert!(toml.contains("\nport = 40025\n") && !toml.contains("2525"));
    assert!(toml.contains(&format!("as_of = \"{AS_OF}\"")));
    let after_two_days = workspace::muster_toml(Setting { days: 2, ..SETTING });
    assert!(after_two_days.contains("as_of = \"2025-07-02T12:00:00\"") && !after_two_days.contains(AS_OF));
}

#[test]
fn the_dataset_stays_small() {
    let bytes: u64 = texts(&dataset())
        .iter()
        .filter(|path| !path.starts_with("data"))
        .map(|path| fs::metadata(dataset().join(path)).unwrap().len())
        .sum();
    assert!(bytes < 4 << 20, "{bytes} bytes");
}

#[test]
fn the_readme_counts_the_rows() {
    let readme = text(&dataset().join("README.md"));
    for table in TABLES {
        let ending = if matches!(table, "products" | "stores") { "csv" } else { "csv.gz" };
        let rows = Table::of_csv(&dataset().join(workspace::FILES).join(format!("{table}.{ending}"))).len();
        let grouped = if rows < 1_000 { rows.to_string() } else { format!("{},{:03}", rows / 1_000, rows % 1_000) };
        let (_, after) = readme.split_once(&format!("files/{table}.{ending}**")).expect(table);
        assert!(after.starts_with(&format!(" ({grouped})")), "{table} has {grouped} rows");
    }
}
