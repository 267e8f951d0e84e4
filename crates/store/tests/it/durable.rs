//! What is on disk after a publish, after a reopening, after an interrupted load, and after damage.

use std::fs;

use muster_catalog::Timestamp;
use muster_store::{Error, Store};

use crate::fixture::{Rows, Shop, input};

const CUSTOMERS: &[(&str, &str)] = &[("id", "id"), ("name", "text")];

fn file_count(shop: &Shop) -> usize {
    fs::read_dir(shop.dir.path().join("blocks")).unwrap().count()
}

#[test]
fn a_published_snapshot_is_there_after_reopening() {
    let shop = Shop::open();
    shop.load(&[("profiles", Rows(CUSTOMERS, &["1 Ann", "2 Bob"]))]);
    let shop = shop.reopened();
    assert_eq!(shop.snapshot().number(), 1);
    assert_eq!(shop.rows("profiles", &["id", "name"]), ["1 Ann", "2 Bob"]);
}

#[test]
fn files_without_a_commit_are_garbage_and_the_snapshot_before_stays() {
    let shop = Shop::open();
    shop.load(&[("profiles", Rows(CUSTOMERS, &["1 Ann"]))]);
    let files = file_count(&shop);
    let input = input("profiles", &[&Rows(CUSTOMERS, &["2 Bob"])]);
    drop(shop.store.prepare(&shop.catalog, vec![input], Timestamp::from_micros(2)).unwrap());
    assert!(file_count(&shop) > files);
    let shop = shop.reopened();
    assert_eq!(shop.rows("profiles", &["id"]), ["1"]);
    shop.state.write(|tx| shop.store.collect_garbage(tx)).unwrap();
    assert_eq!(file_count(&shop), files);
}

#[test]
fn what_was_prepared_in_a_fresh_workspace_and_not_committed_is_garbage_too() {
    let shop = Shop::open();
    shop.state.write(|tx| shop.store.collect_garbage(tx)).unwrap();
    let input = input("profiles", &[&Rows(CUSTOMERS, &["1 Ann"])]);
    drop(shop.store.prepare(&shop.catalog, vec![input], Timestamp::from_micros(2)).unwrap());
    assert_ne!(file_count(&shop), 0);
    shop.state.write(|tx| shop.store.collect_garbage(tx)).unwrap();
    assert_eq!(file_count(&shop), 0);
}

#[test]
fn a_reader_keeps_its_snapshot_over_the_next_publish() {
    let shop = Shop::open();
    shop.load(&[("profiles", Rows(CUSTOMERS, &["1 Ann"]))]);
    let before = shop.state.read(|tx| Store::open(shop.dir.path(), tx)).unwrap().snapshot().unwrap();
    shop.load(&[("profiles", Rows(CUSTOMERS, &["1 Anna"]))]);
    let names = before.scan("profiles", 0, &["name"]).unwrap();
    assert_eq!(crate::fixture::texts(&names), ["Ann"]);
    assert_eq!(shop.rows("profiles", &["name"]), ["Anna"]);
}

#[test]
fn a_damaged_file_is_named_and_never_read_as_empty() {
    let shop = Shop::open();
    shop.load(&[("profiles", Rows(CUSTOMERS, &["1 Ann"]))]);
    let blocks = shop.dir.path().join("blocks");
    let block = blocks.join("profiles.00000.1.parquet");
    fs::write(&block, b"PAR1 not any more").unwrap();
    let shop = shop.reopened();
    let error = shop.snapshot().scan("profiles", 0, &["name"]).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("profiles.00000.1.parquet"), "{error}");
    fs::remove_file(&block).unwrap();
    let error = shop.snapshot().scan("profiles", 0, &["id"]).unwrap_err();
    assert!(matches!(error, Error::Missing { .. }), "{error}");
}

#[test]
fn a_reader_that_stays_hears_of_every_load_row_and_file_that_came_after_it() {
    let shop = Shop::open();
    let reader = || {
        let store = shop.state.read(|tx| Store::open(shop.dir.path(), tx)).unwrap();
        shop.state.read(|tx| store.catch_up(&shop.catalog, tx)).unwrap();
        store
    };
    let is_newest = |store: &Store| shop.state.read(|tx| store.is_newest(tx)).unwrap();
    let empty = reader();
    assert!(is_newest(&empty));

    shop.load(&[("profiles", Rows(CUSTOMERS, &["1 Ann"]))]);
    let loaded = reader();
    assert!(!is_newest(&empty) && is_newest(&loaded));

    let came = [input("profiles", &[&Rows(CUSTOMERS, &["2 Bob"])])];
    let prepared = shop.store.prepare_rows(&shop.catalog, &came, Timestamp::from_micros(3)).unwrap();
    shop.state.write(|tx| prepared.commit(tx)).unwrap();
    shop.store.adopt_rows(prepared);
    let logged = reader();
    assert!(!is_newest(&loaded) && is_newest(&logged));

    let prepared = shop.store.prepare(&shop.catalog, Vec::new(), Timestamp::from_micros(4)).unwrap();
    shop.state.write(|tx| shop.store.commit_files(tx, &prepared)).unwrap();
    shop.store.adopt(prepared);
    assert!(!is_newest(&logged) && is_newest(&reader()) && !is_newest(&loaded));
}
