//! The demo shop: a seeded generator of a Dutch furniture web shop with three years of history.
//!
//! One call writes a folder of ten tables, as CSV or Parquet, of any size: customers with
//! consent, homes and oddities; products, stores; orders and lines with seasons, personal rhythms,
//! people who stop and products that go together; carts and visits; what was written to them and what came back. The same size and seed give the
//! same bytes, whatever the number of threads. A million customers (ten million orders, thirty million
//! lines) are streamed in chapters of 500 customers and never held at once. `days` lets the shop go
//! on after that, day by day.
//!
//! What the columns mean is in `datasets/corner-shop/README.md`. How a workspace reads them is `workspace`'s.

mod assortment;
mod basket;
mod calendar;
mod chance;
mod chapter;
mod csv_file;
mod days;
mod families;
mod files;
mod life;
mod mail;
mod money;
mod names;
mod parquet_file;
mod person;
mod places;
mod records;
mod rhythm;
mod stores;
mod table;

use std::fs;
use std::path::Path;

use rayon::prelude::*;

use crate::Error;
use assortment::{Assortment, Product};
use calendar::Demand;
use chance::Weights;
use chapter::{Chapter, Next};
pub use days::{DaySummary, date_of, taken_at};
use files::{Encoded, TableFile};
use mail::Mailing;
use records::{Cart, CartLine, Customer, Message, Order, OrderLine, Response, WebVisit};
use stores::Store;

/// The instant at which the shop's data were taken, local time; no row is later, but an order may
/// be expected later.
pub const AS_OF: &str = "2025-06-30T12:00:00";

/// Customers per chapter; the chapters, not the threads, decide what is written together.
const CHAPTER: u64 = 500;
/// Chapters that are made while those before them are written.
const CHAPTERS_AT_ONCE: usize = 8;

/// A shop that can be written: its size and its seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shop {
    /// How many customers; per customer there are about 10 orders, 30 order lines, 0.7 carts, 8 visits,
    /// 15 messages and 6 responses.
    pub customers: u64,
    /// Which of all the shops of that size.
    pub seed: u64,
}

/// How the tables are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `<table>.csv`: UTF-8, comma, header, LF.
    Csv,
    /// `<table>.csv.gz` for what customers do and `.csv` for the two small lookups.
    CsvGz,
    /// `<table>.parquet`.
    Parquet,
}

/// How far the writing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Customers whose rows are written.
    pub customers: u64,
    /// Customers in all.
    pub of: u64,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Each table with its number of rows, in the order of [`TABLES`].
    pub rows: Vec<(&'static str, u64)>,
}

/// The tables, which are also the names of their files.
pub const TABLES: [&str; 10] = [
    "products",
    "stores",
    "customers",
    "orders",
    "order_lines",
    "carts",
    "cart_lines",
    "web_visits",
    "messages",
    "responses",
];

impl Format {
    /// The ending of a file's name, without its dot.
    pub fn ending(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::CsvGz => "csv.gz",
            Format::Parquet => "parquet",
        }
    }

    fn of_lookups(self) -> Format {
        if self == Format::CsvGz { Format::Csv } else { self }
    }
}

impl Shop {
    /// Writes all tables to the folder `into`, which is made if it is not there; files of the same
    /// names are replaced. `progress` hears of every few thousand customers.
    ///
    /// # Errors
    /// `File` or `Parquet`, with the file that could not be written; the folder is then incomplete.
    pub fn write(self, into: &Path, format: Format, progress: &(dyn Fn(Progress) + Sync)) -> Result<Summary, Error> {
        fs::create_dir_all(into).map_err(Error::file("create", into))?;
        let world = World::new(self);
        let mut rows = world.write_lookups(into, format.of_lookups())?;
        rows.extend(world.write_customers(into, format, progress)?);
        Ok(Summary { rows: TABLES.into_iter().zip(rows).collect() })
    }
}

/// What all customers share.
#[derive(Debug)]
struct World {
    seed: u64,
    customers: u64,
    assortment: Assortment,
    stores: Vec<Store>,
    demand: Demand,
    basket_sizes: Weights,
    by_inhabitants: Weights,
    /// How likely each way to the shop is.
    by_source: Weights,
    /// Per place, the number of the store that its people go to.
    nearest_store: Vec<u32>,
    /// What is written to everyone, in time.
    mailings: Vec<Mailing>,
}

impl World {
    fn new(Shop { customers, seed }: Shop) -> World {
        let stores = stores::stores((customers / 2_000).clamp(12, 500) as usize, seed);
        let assortment = Assortment::new((customers / 50).clamp(400, 20_000) as usize, seed);
        World {
            seed,
            customers,
            mailings: mail::mailings(&assortment, seed),
            assortment,
            demand: Demand::new(),
            basket_sizes: basket::basket_sizes(),
            by_inhabitants: places::by_inhabitants(),
            by_source: Weights::zipf(person::SOURCES.len()),
            nearest_store: stores::nearest(&stores),
            stores,
        }
    }

    fn write_lookups(&self, into: &Path, format: Format) -> Result<Vec<u64>, Error> {
        let mut products = TableFile::create::<Product>(into, "products", format)?;
        products.append(&Encoded::new(format, &self.assortment.products))?;
        let mut stores = TableFile::create::<Store>(into, "stores", format)?;
        stores.append(&Encoded::new(format, &self.stores))?;
        Ok(vec![products.finish()?, stores.finish()?])
    }

    fn write_customers(
        &self,
        into: &Path,
        format: Format,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Vec<u64>, Error> {
        let mut files = create_files(into, "", format)?;
        let mut next = Next::default();
        let mut waiting: Vec<Tables> = Vec::new();
        for first in (0..self.customers).step_by(CHAPTER as usize * CHAPTERS_AT_ONCE) {
            let (written, made) = rayon::join(|| append(&mut files, &waiting), || self.chapters(first));
            written?;
            progress(Progress { customers: first, of: self.customers });
            waiting = encode(made, &mut next, format);
        }
        append(&mut files, &waiting)?;
        progress(Progress { customers: self.customers, of: self.customers });
        files.into_iter().map(TableFile::finish).collect()
    }

    /// The chapters from that customer on, made side by side.
    fn chapters(&self, first: u64) -> Vec<Chapter<'_>> {
        let until = |from: u64| (from + CHAPTER).min(self.customers);
        let starts = (0..CHAPTERS_AT_ONCE as u64).map(|chapter| first + chapter * CHAPTER);
        let starts: Vec<u64> = starts.take_while(|start| *start < self.customers).collect();
        starts.into_par_iter().map(|from| Chapter::of(self, from..until(from))).collect()
    }
}

/// The rows of some customers: one table after the other, in the order of [`TABLES`] without the lookups.
type Tables = [Encoded; 8];

/// The files of the tables about customers, in the order of [`TABLES`]; `suffix` follows the table in the name.
fn create_files(into: &Path, suffix: &str, format: Format) -> Result<Vec<TableFile>, Error> {
    Ok(vec![
        TableFile::create::<Customer>(into, &format!("customers{suffix}"), format)?,
        TableFile::create::<Order>(into, &format!("orders{suffix}"), format)?,
        TableFile::create::<OrderLine>(into, &format!("order_lines{suffix}"), format)?,
        TableFile::create::<Cart>(into, &format!("carts{suffix}"), format)?,
        TableFile::create::<CartLine>(into, &format!("cart_lines{suffix}"), format)?,
        TableFile::create::<WebVisit<'_>>(into, &format!("web_visits{suffix}"), format)?,
        TableFile::create::<Message<'_>>(into, &format!("messages{suffix}"), format)?,
        TableFile::create::<Response>(into, &format!("responses{suffix}"), format)?,
    ])
}

/// Numbers the chapters one after another, then encodes them side by side.
fn encode(mut chapters: Vec<Chapter<'_>>, next: &mut Next, format: Format) -> Vec<Tables> {
    chapters.iter_mut().for_each(|chapter| chapter.number_from(next));
    chapters.into_par_iter().map(|chapter| encoded(&chapter, format)).collect()
}

/// The chapter's rows, table by table.
fn encoded(chapter: &Chapter<'_>, format: Format) -> Tables {
    [
        Encoded::new(format, &chapter.customers),
        Encoded::new(format, &chapter.orders),
        Encoded::new(format, &chapter.order_lines),
        Encoded::new(format, &chapter.carts),
        Encoded::new(format, &chapter.cart_lines),
        Encoded::new(format, &chapter.web_visits),
        Encoded::new(format, &chapter.messages),
        Encoded::new(format, &chapter.responses),
    ]
}

/// Appends the chapters in order; the tables do not wait for each other.
fn append(files: &mut [TableFile], chapters: &[Tables]) -> Result<(), Error> {
    let append =
        |(table, file): (usize, &mut TableFile)| chapters.iter().try_for_each(|chapter| file.append(&chapter[table]));
    files.par_iter_mut().enumerate().try_for_each(append)
}
