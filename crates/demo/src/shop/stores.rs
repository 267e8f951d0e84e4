//! The shop's stores, in its places.

use super::chance::{Chance, Purpose};
use super::places::{PLACES, Point};
use super::table::{Cells, Column, Key, Kind, Record, column};

/// One store; its key is its position in the list.
#[derive(Debug)]
pub(super) struct Store {
    number: u32,
    name: String,
    city: &'static str,
    postcode: u32,
    pub point: Point,
}

/// So many stores; the Dutch towns first, the largest ones before the others.
pub(super) fn stores(count: usize, seed: u64) -> Vec<Store> {
    let mut places: Vec<usize> = (0..PLACES.len()).collect();
    places.sort_by_key(|place| std::cmp::Reverse(PLACES[*place].inhabitants));
    let store = |number: usize| store(number, &PLACES[places[number % places.len()]], number / places.len(), seed);
    (0..count).map(store).collect()
}

fn store(number: usize, place: &super::places::Place, round: usize, seed: u64) -> Store {
    let mut chance = Chance::of(seed, Purpose::Stores, number as u64);
    let postcode = place.any_postcode(&mut chance);
    let name = match round {
        0 => format!("Woonhuis {} {postcode}", place.city),
        _ => format!("Woonhuis {} {postcode} ({})", place.city, round + 1),
    };
    let point = place.centre(postcode).nearby(&mut chance);
    Store { number: number as u32, name, city: place.city, postcode, point }
}

/// The nearest store to each place, in the order of `PLACES`; ties go to the first one.
pub(super) fn nearest(stores: &[Store]) -> Vec<u32> {
    let to = |place: &super::places::Place| {
        stores.iter().min_by_key(|store| store.point.squared_distance(place.middle())).map_or(0, |store| store.number)
    };
    PLACES.iter().map(to).collect()
}

impl Record for Store {
    const COLUMNS: &'static [Column] = &[
        column("store_id", Kind::Text),
        column("name", Kind::Text),
        column("city", Kind::Text),
        column("latitude", Kind::Degrees),
        column("longitude", Kind::Degrees),
        column("postcode", Kind::Text),
    ];

    fn cells<C: Cells>(&self, cells: &mut C) {
        cells.key(Key::store(self.number));
        cells.text(&self.name);
        cells.text(self.city);
        cells.degrees(self.point.latitude);
        cells.degrees(self.point.longitude);
        cells.text(&self.postcode.to_string());
    }
}
