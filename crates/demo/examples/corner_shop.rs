//! Writes `datasets/corner-shop` again, after the generator or what is embedded has changed.

use std::error::Error;
use std::path::Path;

use muster_demo::shop::{Format, Shop};
use muster_demo::workspace;

/// Also in `tests/it/corner_shop.rs`, which compares what this wrote.
const SHOP: Shop = Shop { customers: 2_000, seed: 42 };

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/corner-shop");
    workspace::write(&folder, Format::CsvGz, workspace::MAIL_PORT)?;
    let summary = SHOP.write(&folder.join(workspace::FILES), Format::CsvGz, &|_| ())?;
    for (table, rows) in summary.rows {
        println!("{table}: {rows} rows");
    }
    Ok(())
}
