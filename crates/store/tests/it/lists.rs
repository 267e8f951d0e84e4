//! Lists of profile keys: who is on one, as profiles and the list's keys come and go.

use muster_catalog::Timestamp;

use crate::fixture::{Rows, SHOP, Shop};

const CUSTOMERS: &[(&str, &str)] = &[("id", "id"), ("name", "text")];
const KEY: &[(&str, &str)] = &[("key", "id")];

fn shop() -> Shop {
    let shop = Shop::with(&format!("{SHOP}[lists.staff]\nsource = \"staff.csv\"\nkey = \"key\"\n"));
    shop.load(&[("profiles", Rows(CUSTOMERS, &["1 Ann", "2 Bob", "3 Cas"]))]);
    shop
}

fn on_it(shop: &Shop) -> Vec<u32> {
    shop.snapshot().profiles_on("staff").unwrap().iter().collect()
}

#[test]
fn a_list_is_there_from_its_first_load_on() {
    let shop = shop();
    assert!(shop.snapshot().schema("lists.staff").is_none() && on_it(&shop).is_empty());
    shop.load(&[("lists.staff", Rows(KEY, &["3", "1", "9"]))]);
    assert_eq!(
        (shop.rows("lists.staff", &["key"]), on_it(&shop)),
        (vec!["1".into(), "3".into(), "9".into()], vec![0, 2])
    );
    let shop = shop.reopened();
    assert_eq!(on_it(&shop), [0, 2]);
}

#[test]
fn the_keys_that_come_are_the_list_and_the_others_are_gone() {
    let shop = shop();
    shop.load(&[("lists.staff", Rows(KEY, &["3", "1", "9"]))]);
    let report = shop.load(&[("lists.staff", Rows(KEY, &["2", "3"]))]);
    let counts = &report.tables["lists.staff"];
    assert_eq!((counts.new, counts.same, counts.deleted, counts.rows), (1, 1, 2, 2));
    assert_eq!(on_it(&shop), [1, 2]);
    shop.load(&[("lists.staff", Rows(KEY, &[]))]);
    assert!(shop.snapshot().schema("lists.staff").is_some() && on_it(&shop).is_empty());
}

#[test]
fn a_key_waits_for_its_profile() {
    let shop = shop();
    shop.load(&[("lists.staff", Rows(KEY, &["9"]))]);
    assert!(on_it(&shop).is_empty());
    shop.load(&[("profiles", Rows(CUSTOMERS, &["9 Zoe"]))]);
    assert_eq!(on_it(&shop), [3]);
}

#[test]
fn as_of_every_instant_a_list_is_that_of_today() {
    let shop = shop();
    shop.load(&[("lists.staff", Rows(KEY, &["1", "2"]))]);
    shop.load(&[("lists.staff", Rows(KEY, &["2", "3"])), ("profiles", Rows(CUSTOMERS, &["1 Anna"]))]);
    let before = shop.snapshot().as_of(Timestamp::from_micros(0)).unwrap();
    assert_eq!(before.profiles_on("staff").unwrap().iter().collect::<Vec<_>>(), [1, 2]);
}
