//! The shop on the days after its data were taken: what the files of each day hold, and how the shop stands.
//!
//! A day is the 24 hours up to its noon. Its files hold the rows that are new or other since the day before, each as it
//! is at noon; a row that is gone says so once, and with it goes whatever is below it. A day's rows depend on the shop
//! and the day only, not on how many days are written. Products and stores stay as they are.

mod account;
mod carts;
mod delivery;
mod details;
mod mail;
mod shopping;
mod today;
mod turn;

use std::fs;
use std::ops::{Range, RangeInclusive};
use std::path::Path;

use rayon::prelude::*;

use super::chapter::{Chapter, Next};
use super::files::TableFile;
use super::{CHAPTER, CHAPTERS_AT_ONCE, Format, Progress, Shop, Summary, TABLES, Tables, World, create_files, encoded};
use crate::Error;
use account::Account;
use shopping::{newcomer, newcomers};
use today::Today;
use turn::Turn;

/// Days whose files are open at the same time; eight files each.
const DAYS_AT_ONCE: u32 = 50;

/// What the files of one day hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaySummary {
    /// The day, as `YYYY-MM-DD`: the name of its folder.
    pub date: String,
    /// Each table that customers add to with its number of rows, in the order of [`TABLES`].
    pub rows: Vec<(&'static str, u64)>,
}

/// The calendar day, as `YYYY-MM-DD`, on which the files of the `nth` day are written; of day 0 are the shop's first files.
pub fn date_of(nth: u32) -> String {
    Today { nth }.day().date().to_string()
}

/// The instant, local time, at which the data of the `nth` day are taken: noon of [`date_of`] it.
pub fn taken_at(nth: u32) -> String {
    format!("{}T12:00:00", date_of(nth))
}

impl Shop {
    /// Writes the files of the days 1 to `days`, each to a folder of the day in `into`:
    /// `2025-07-01/orders_2025-07-01.csv`. Put beside the shop's first files, they come after them in the order of names.
    /// Files of the same names are replaced. `progress` hears of every few thousand customers.
    ///
    /// # Errors
    /// `File` or `Parquet`, with the file that could not be written; the folders are then incomplete.
    pub fn write_days(
        self,
        days: u32,
        into: &Path,
        format: Format,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Vec<DaySummary>, Error> {
        let world = World::new(self);
        let mut summaries = Vec::new();
        for first in (1..=days).step_by(DAYS_AT_ONCE as usize) {
            let last = days.min(first + DAYS_AT_ONCE - 1);
            summaries.extend(world.write_days(first..=last, into, format, progress)?);
        }
        Ok(summaries)
    }

    /// Writes all tables as they stand at the end of the `nth` day to the folder `into`, as [`Shop::write`] does of day 0:
    /// what whoever has loaded the first files and those of the days 1 to `nth` must have.
    ///
    /// # Errors
    /// As [`Shop::write`].
    pub fn write_state_on(
        self,
        nth: u32,
        into: &Path,
        format: Format,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Summary, Error> {
        fs::create_dir_all(into).map_err(Error::file("create", into))?;
        let world = World::new(self);
        let mut rows = world.write_lookups(into, format.of_lookups())?;
        let mut files = create_files(into, "", format)?;
        let standing = |accounts: Vec<Account<'_>>| vec![world.standing_on(nth, accounts, format)];
        world.each_account(nth, &standing, progress, &mut |made| append(&mut files, made.iter()))?;
        for file in files {
            rows.push(file.finish()?);
        }
        Ok(Summary { rows: TABLES.into_iter().zip(rows).collect() })
    }
}

impl World {
    fn write_days(
        &self,
        days: RangeInclusive<u32>,
        into: &Path,
        format: Format,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Vec<DaySummary>, Error> {
        let mut files = days.clone().map(|nth| create_day(nth, into, format)).collect::<Result<Vec<_>, Error>>()?;
        let changed = |accounts: Vec<Account<'_>>| self.changed_on(days.clone(), accounts, format);
        self.each_account(*days.end(), &changed, progress, &mut |made| {
            let mut of_day = files.iter_mut().enumerate();
            of_day.try_for_each(|(day, files)| append(files, made.iter().skip(day).step_by(days.clone().count())))
        })?;
        days.zip(files).map(|(nth, files)| finish_day(nth, files)).collect()
    }

    /// Makes the accounts of all customers up to the end of the `nth` day, a few chapters side by side; what `make`
    /// makes of each chapter's goes to `take` in the order of the customers.
    fn each_account<'w>(
        &'w self,
        nth: u32,
        make: &(dyn Fn(Vec<Account<'w>>) -> Vec<Tables> + Sync),
        progress: &(dyn Fn(Progress) + Sync),
        take: &mut dyn FnMut(Vec<Tables>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut next = Next::default();
        for first in (0..self.customers).step_by(CHAPTER as usize * CHAPTERS_AT_ONCE) {
            progress(Progress { customers: first, of: self.customers });
            let mut chapters = self.chapters(first);
            chapters.iter_mut().for_each(|chapter| chapter.number_from(&mut next));
            let made = chapters.into_par_iter().map(|chapter| make(Account::all_of(chapter)));
            take(made.collect::<Vec<_>>().into_iter().flatten().collect())?;
        }
        let mut first = self.customers;
        for today in (1..=nth).map(|nth| Today { nth }) {
            let numbers: Range<u64> = first..first + newcomers(self, today);
            first = numbers.end;
            take(make(numbers.map(|number| newcomer(self, number, today)).collect()))?;
        }
        progress(Progress { customers: self.customers, of: self.customers });
        Ok(())
    }

    /// The rows that are new or other, one set of tables for each of the days.
    fn changed_on<'w>(
        &'w self,
        days: RangeInclusive<u32>,
        mut accounts: Vec<Account<'w>>,
        format: Format,
    ) -> Vec<Tables> {
        let mut made = Vec::new();
        for today in (1..=*days.end()).map(|nth| Today { nth }) {
            accounts.iter_mut().for_each(|account| Turn::of(self, today, account).take());
            if days.contains(&today.nth) {
                let mut chapter = Chapter::default();
                accounts.iter().for_each(|account| account.changed(today, &mut chapter));
                made.push(encoded(&chapter, format));
            }
        }
        made
    }

    fn standing_on<'w>(&'w self, nth: u32, mut accounts: Vec<Account<'w>>, format: Format) -> Tables {
        for today in (1..=nth).map(|nth| Today { nth }) {
            accounts.iter_mut().for_each(|account| Turn::of(self, today, account).take());
        }
        let mut chapter = Chapter::default();
        accounts.into_iter().for_each(|account| account.standing(&mut chapter));
        encoded(&chapter, format)
    }
}

fn create_day(nth: u32, into: &Path, format: Format) -> Result<Vec<TableFile>, Error> {
    let date = date_of(nth);
    let folder = into.join(&date);
    fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
    // The underscore sorts behind the dot of `orders.csv`, so that a glob finds the first files first.
    create_files(&folder, &format!("_{date}"), format)
}

fn finish_day(nth: u32, files: Vec<TableFile>) -> Result<DaySummary, Error> {
    let rows = files.into_iter().map(TableFile::finish).collect::<Result<Vec<u64>, Error>>()?;
    Ok(DaySummary { date: date_of(nth), rows: TABLES[2..].iter().copied().zip(rows).collect() })
}

fn append<'a>(files: &mut [TableFile], mut made: impl Iterator<Item = &'a Tables>) -> Result<(), Error> {
    made.try_for_each(|tables| files.iter_mut().zip(tables).try_for_each(|(file, rows)| file.append(rows)))
}
