//! Publishing: versions that never change, and what may become of a campaign.

use muster_campaign::{Error, Published, Standing, list, pause, publish, resume, stop};
use muster_catalog::Timestamp;

use crate::shop::{LETTER, Shop};

const NOW: Timestamp = Timestamp::from_micros(1_750_000_000_000_000);

fn put_out(shop: &Shop, text: &str) -> Result<Published, Error> {
    shop.state().write(|tx| publish(tx, "campaigns/letter.toml", "letter", text, NOW))
}

#[test]
fn the_same_text_again_changes_nothing_and_another_is_the_next_version() {
    let shop = Shop::of(0, 1);
    let versions: Vec<(u32, bool)> = [LETTER, LETTER, &format!("{LETTER}# with a remark\n"), LETTER]
        .into_iter()
        .map(|text| put_out(&shop, text).unwrap())
        .map(|published| (published.version, published.is_new))
        .collect();
    assert_eq!(versions, [(1, true), (1, false), (2, true), (3, true)]);
    let listed = shop.state().read(list).unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].version, listed[0].standing, &*listed[0].text), (3, Standing::Live, LETTER));
}

#[test]
fn a_text_that_is_no_campaign_is_not_published() {
    let shop = Shop::of(0, 1);
    assert!(matches!(put_out(&shop, "objective = 3"), Err(Error::Definition(_))));
    assert!(shop.state().read(list).unwrap().is_empty());
}

#[test]
fn what_ended_does_not_go_live_again() {
    let shop = Shop::of(0, 1);
    put_out(&shop, LETTER).unwrap();
    shop.state().write(|tx| stop(tx, "letter")).unwrap();
    let ended = "campaign \"letter\" has ended; publish it under another name to send again";
    assert_eq!(put_out(&shop, LETTER).unwrap_err().to_string(), ended);
    assert_eq!(shop.state().write(|tx| resume(tx, "letter")).unwrap_err().to_string(), ended);
}

#[test]
fn a_new_version_does_not_wake_a_campaign_that_rests() {
    let shop = Shop::of(0, 1);
    put_out(&shop, LETTER).unwrap();
    shop.state().write(|tx| pause(tx, "letter")).unwrap();
    put_out(&shop, &format!("{LETTER}# better\n")).unwrap();
    assert_eq!(shop.state().read(list).unwrap()[0].standing, Standing::Paused);
}

#[test]
fn an_unknown_campaign_comes_with_the_nearest_name() {
    let shop = Shop::of(0, 1);
    put_out(&shop, LETTER).unwrap();
    let refused = shop.state().write(|tx| pause(tx, "leter")).unwrap_err();
    assert_eq!(refused.to_string(), "campaign \"leter\" was never published; did you mean \"letter\"?");
}
