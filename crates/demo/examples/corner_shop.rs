//! Writes `datasets/corner-shop` again, after the generator or what is embedded has changed.

use std::error::Error;
use std::path::Path;

use muster_demo::shop::{Format, Shop};
use muster_demo::workspace::{self, MAIL_PORT, Setting};

/// Also in `tests/it/corner_shop.rs`, which compares what this wrote.
const SHOP: Shop = Shop { customers: 2_000, seed: 42 };

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/corner-shop");
    let setting = Setting { format: Format::CsvGz, mail_port: MAIL_PORT, days: 0 };
    workspace::write(&folder, setting)?;
    let summary = SHOP.write(&folder.join(workspace::FILES), Format::CsvGz, &|_| ())?;
    for (table, rows) in summary.rows {
        println!("{table}: {rows} rows");
    }
    Ok(())
}
