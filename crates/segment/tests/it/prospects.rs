//! When who never bought is due to be won back: by visits and clicks, counted by hand.

use muster_catalog::Class;
use muster_segment::{Classes, Grants, Scoring};
use muster_store::TableInput;

use crate::world::{Shop, input, run};

const CATALOG: &str = r#"
[workspace]
name = "prospects"
time_zone = "Europe/Amsterdam"

[tables.profiles]
source = "customers.csv"
key = "id"

[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer"
time = "placed_at"
purchase = { value = "total", when = "total > 0" }

[tables.visits]
source = "visits.csv"
parent = "profiles"
on = "customer"
time = "seen_at"

[tables.calls]
source = "calls.csv"
parent = "profiles"
on = "customer"
time = "called_at"

[tables.messages]
source = "messages.csv"
key = "message_id"
parent = "profiles"
on = "customer"
time = "sent_at"

[tables.responses]
source = "responses.csv"
parent = "messages"
on = "message"
time = "at"
"#;

const VISITS: &str = "[scores.reactivation]\nvisits = [\"visits\", \"calls\"]\n";

/// Ann and Hal bought, Ann for the first time in May; Ivo's order was worth nothing. The others never did.
fn inputs(kind: &str) -> Vec<TableInput> {
    let customers = ["ann", "bob", "cas", "dan", "eva", "fay", "gus", "hal", "ivo", "joy"];
    let at = |name: &'static str| [("customer", "id"), (name, "timestamp")];
    vec![
        input("profiles", &[("id", "id")], &customers),
        input(
            "orders",
            &[("order_id", "id"), ("customer", "id"), ("placed_at", "timestamp"), ("total", "decimal(12,2)")],
            &[
                "o1 ann 2025-05-01T10:00:00Z 5.00",
                "o2 hal 2025-01-01T10:00:00Z 5.00",
                "o3 hal 2025-02-20T10:00:00Z 5.00",
                "o4 ivo 2025-01-01T10:00:00Z 0.00",
            ],
        ),
        input(
            "visits",
            &at("seen_at"),
            &[
                "ann 2025-01-05T10:00:00Z",
                "bob 2025-01-01T10:00:00Z",
                // In Amsterdam it was the eleventh already.
                "bob 2025-01-10T23:30:00Z",
                "bob 2025-01-21T10:00:00Z",
                "cas 2025-03-01T10:00:00Z",
                "gus 2025-04-01T10:00:00Z",
                "gus 2025-04-01T11:00:00Z",
                "ivo 2025-04-20T10:00:00Z",
                "joy 2025-07-20T10:00:00Z",
            ],
        ),
        input("calls", &at("called_at"), &["ivo 2025-05-02T10:00:00Z", "hal 2025-06-20T10:00:00Z"]),
        input(
            "messages",
            &[("message_id", "id"), ("customer", "id"), ("sent_at", "timestamp")],
            &[
                "m1 eva 2025-02-01T10:00:00Z",
                "m2 fay 2025-02-01T10:00:00Z",
                "m3 dan 2025-02-01T10:00:00Z",
                "m4 hal 2025-02-01T10:00:00Z",
            ],
        ),
        input(
            "responses",
            &[("message", "id"), ("at", "timestamp"), (kind, "text")],
            &[
                "m1 2025-02-01T12:00:00Z click",
                "m1 2025-02-05T12:00:00Z click",
                // What follows a link two seconds after the message came is a program.
                "m2 2025-02-01T10:00:02Z click",
                "m3 2025-02-01T12:00:00Z open",
                "m4 2025-06-01T12:00:00Z click",
            ],
        ),
    ]
}

fn shop_of(more: &str, kind: &str) -> Shop {
    let catalog = format!("{CATALOG}{more}");
    let mut shop = Shop::empty();
    shop.scoring = Scoring::of(&muster_catalog::parse("muster.toml", &catalog).unwrap()).unwrap();
    shop.load_as(&catalog, inputs(kind));
    shop
}

const DUE: &str = "SELECT id, CAST(reactivation.due_at AS DATE) AS due FROM profiles ORDER BY id";

/// Bob shows a sign every ten days, Eva every four, Ivo every twelve: the median gap of prospects is ten days. That of buyers
/// is Hal's, of fifty.
#[test]
fn who_never_bought_is_due_by_visits_and_clicks() {
    let shop = shop_of(VISITS, "kind");
    assert_eq!(
        shop.rows(DUE)[1..],
        [
            "ann | 2025-08-10",
            "bob | 2025-02-11",
            "cas | 2025-03-22",
            "dan | -",
            "eva | 2025-02-14",
            "fay | -",
            "gus | 2025-04-22",
            "hal | 2025-06-01",
            "ivo | 2025-05-27",
            "joy | -",
        ]
    );
    assert_eq!(
        shop.rows("SELECT reactivation.due_at FROM profiles WHERE id = 'bob'")[1..],
        ["2025-02-11T00:00:00+01:00"]
    );
    // A segment of it, like any; asked of one profile alone it says the same.
    assert_eq!(shop.define("CREATE SEGMENT due AS WHERE reactivation.due_at < now()").rows.len(), 6);
}

/// In the middle of January Ann has not bought yet and was seen once, and Bob twice, in ten days.
#[test]
fn signs_are_those_of_the_instant() {
    let shop = shop_of(VISITS, "kind");
    let shown = |as_of: &str| -> Vec<String> {
        let rows = shop.rows(&format!("AS OF '{as_of}' {DUE}")).into_iter().skip(1);
        rows.filter(|row| !row.ends_with("| -")).collect()
    };
    assert_eq!(shown("2025-01-15T12:00:00"), ["ann | 2025-01-26", "bob | 2025-02-01"]);
    // One sign each, so that no gap is known.
    assert_eq!(shown("2025-01-06T12:00:00"), [""; 0]);
    assert_eq!(shown("2024-12-31T12:00:00"), [""; 0]);
    // The click that has not come yet is none: Eva was there on one day.
    assert_eq!(shown("2025-02-04T12:00:00")[2], "eva | 2025-02-22");
    // What counts as a click of its own is what engagement counts.
    shop.session().score("engagement", &|_| ()).unwrap();
    assert_eq!(
        shop.rows("SELECT id, engagement.clicks FROM profiles WHERE engagement.clicks > 0 ORDER BY id")[1..],
        ["eva | 2", "hal | 1"]
    );
}

#[test]
fn without_visits_clicks_count_and_without_both_nothing_does() {
    let buyers = ["ann | 2025-08-10", "hal | 2025-06-01"];
    let with_date = format!("SELECT * FROM ({DUE}) AS due WHERE due IS NOT NULL ORDER BY id");
    assert_eq!(shop_of("", "kind").rows(&with_date)[1..], ["ann | 2025-08-10", "eva | 2025-02-14", "hal | 2025-06-01"]);
    // Nothing says what a response is, and nobody asked.
    assert_eq!(shop_of("", "what").rows(&with_date)[1..], buyers);
    let elsewhere = "[scores.engagement]\nmessages = \"letters\"\n";
    assert_eq!(shop_of(elsewhere, "kind").rows(&with_date)[1..], buyers);
    // Where muster.toml says it and it is wrong, that is said.
    let error = shop_of("[scores.engagement]\nkind = \"wat\"\n", "what").error(DUE);
    assert!(error.contains("`wat` of the score engagement cannot be read"), "{error}");
    let read = shop_of("[scores.engagement]\nkind = \"what\"\n", "what");
    assert_eq!(read.rows(&with_date)[1..], ["ann | 2025-08-10", "eva | 2025-02-14", "hal | 2025-06-01"]);
}

#[test]
fn signs_that_masks_hide_are_refused() {
    let shop = shop_of(VISITS, "kind");
    let analyst = |section: &str, column: &str| {
        let hidden = format!("{CATALOG}[tables.{section}.columns]\n{column} = {{ class = \"sensitive\" }}\n");
        let classes = Classes::declared(&muster_catalog::parse("muster.toml", &hidden).unwrap());
        shop.session().with_classes(classes.granted(Grants::of([Class::Internal, Class::Personal])))
    };
    for (section, column) in
        [("visits", "seen_at"), ("responses", "kind"), ("responses", "at"), ("messages", "sent_at")]
    {
        let mut analyst = analyst(section, column);
        let error = run(&mut analyst, DUE).unwrap_err().to_string();
        assert!(error.starts_with(&format!("`{section}.{column}` is sensitive")), "{error}");
        run(&mut analyst, "SELECT cadence.purchases, rfm.cell FROM profiles").unwrap();
    }
    run(&mut analyst("messages", "message_id"), DUE).unwrap();
}
