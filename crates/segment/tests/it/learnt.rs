//! Scores that are learnt from everybody: kept with their model, read as of an instant, and blind for what came later.

use muster_catalog::Class;
use muster_query::{Engine, Limits};
use muster_segment::{Classes, Error, Fact, Grants, Scoring};

use crate::world::{CATALOG, CUSTOMERS, ORDERS, STORES, Shop, input, instant, run};

/// Orders are purchases; each is of one product, which stands in the order itself.
const SCORES: &str = r#"
[scores.churn]
window_days = 60

[scores.churn.characteristics]
silence = "cadence.days_since_last"
purchases = "cadence.purchases"
mean_value = "cadence.mean_value"
country = "country"

[scores.alive]
horizon_days = 60

[scores.next_offer]
table = "orders"
item = "CASE WHEN total < 10 THEN 'pencil' WHEN total < 20 THEN 'pen' WHEN total < 30 THEN 'book' ELSE 'lamp' END"
when = "total < 40"
group = "country"
quiet_days = 3
least_baskets = 1
"#;

fn catalog(more: &str) -> String {
    CATALOG.replacen("[tables.orders]\n", "[tables.orders]\npurchase = { value = \"total\" }\n", 1) + more
}

/// A number that looks like chance and is always the same.
fn chance(seed: u64, below: u64) -> u64 {
    let mixed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) % below
}

const PEOPLE: u64 = 240;

/// An order: whose, how many days before the first of June, and of how many cents.
type Order = (u64, i64, u64);

/// Everybody buys in a rhythm of their own, and some stop one day.
fn orders() -> Vec<Order> {
    let mut orders = Vec::new();
    for person in 0..PEOPLE {
        let gap = 8 + chance(person * 7 + 1, 40) as i64;
        let stops = if chance(person * 7 + 2, 3) == 0 { chance(person * 7 + 3, 300) as i64 } else { -60 };
        let mut day = 400 - chance(person * 7 + 4, 60) as i64;
        while day > stops && day > -60 {
            orders.push((person, day, 100 + chance(person * 1000 + day.unsigned_abs(), 4500)));
            day -= 1 + chance(person * 77 + day.unsigned_abs(), 2 * gap as u64) as i64;
        }
    }
    orders
}

/// The same with everything after the first of June dealt out anew: other people, other days, other worth.
fn shuffled_after(orders: &[Order]) -> Vec<Order> {
    let mut shuffled: Vec<Order> = orders.iter().copied().filter(|(_, day, _)| *day >= 1).collect();
    for (place, _) in orders.iter().filter(|(_, day, _)| *day < 1).enumerate() {
        let seed = place as u64 * 31;
        let day = -(chance(seed + 7, 58) as i64) - 1;
        shuffled.push((chance(seed + 5, PEOPLE), day, 100 + chance(seed + 6, 9000)));
    }
    shuffled
}

/// A shop of these orders; `income` of its customers says how many of theirs lie after the first of June.
fn shop_of(orders: &[Order], more: &str, is_backwards: bool) -> Shop {
    let catalog = catalog(more);
    let mut shop = Shop::empty();
    shop.scoring = Scoring::of(&muster_catalog::parse("muster.toml", &catalog).unwrap()).unwrap();
    let later = |person: u64| orders.iter().filter(|(whose, day, _)| *whose == person && *day < 1).count();
    let country = |person: u64| ["NL", "BE", "DE"][person as usize % 3];
    let mut customers: Vec<String> = (0..PEOPLE)
        .map(|person| format!("p{person:03} x@x.example {} {}.00 s1", country(person), later(person)))
        .collect();
    let first = instant("2025-06-01T00:00:00").micros();
    let mut rows: Vec<String> = orders
        .iter()
        .enumerate()
        .map(|(place, (person, day, cents))| {
            let at = first - day * 86_400_000_000 + 36_000_000_000;
            let at = chrono::DateTime::from_timestamp_micros(at).unwrap().format("%Y-%m-%dT%H:%M:%SZ");
            format!("o{place:05} p{person:03} {at} {}.{:02}", cents / 100, cents % 100)
        })
        .collect();
    if is_backwards {
        customers.reverse();
        rows.reverse();
    }
    let (customers, rows): (Vec<&str>, Vec<&str>) =
        (customers.iter().map(String::as_str).collect(), rows.iter().map(String::as_str).collect());
    let inputs = vec![
        input("profiles", CUSTOMERS, &customers),
        input("orders", ORDERS, &rows),
        input("stores", STORES, &["s1 Delft"]),
    ];
    shop.load_as(&catalog, inputs);
    shop
}

/// Every column of every score, and the models, as of the first of June.
fn everything(shop: &Shop) -> Vec<String> {
    let session = shop.session_as_of("2025-06-01T00:00:00");
    let mut all = Vec::new();
    for score in ["churn", "alive", "next_offer"] {
        all.extend(session.score(score, &|_| ()).unwrap().model);
    }
    let columns = "id, cadence.total, rfm.cell, churn.score, churn.band, churn.reasons, alive.p_alive, \
                   alive.expected_purchases, alive.expected_value, next_offer.first, next_offer.first_score, \
                   next_offer.first_because, next_offer.second, next_offer.third_score, offer_score('lamp') AS lamp";
    all.extend(shop.rows(&format!("AS OF '2025-06-01T00:00:00' SELECT {columns} FROM profiles ORDER BY id")));
    all
}

/// The first line that is not the same.
#[track_caller]
fn same(told: &[String], expected: &[String]) {
    let differs = told.iter().zip(expected).find(|(told, expected)| told != expected);
    assert_eq!((differs, told.len()), (None, expected.len()));
}

#[test]
fn what_comes_after_the_instant_leaves_no_trace_in_features_and_scores() {
    let orders = orders();
    let shuffled = shuffled_after(&orders);
    assert!(orders != shuffled);
    let shops = [&orders, &shuffled].map(|orders| shop_of(orders, SCORES, false));
    let [told, told_of_shuffled] = shops.each_ref().map(everything);
    // Some of everything is there.
    assert!(told.iter().filter(|row| row.contains("very high")).count() > 20);
    same(&told, &told_of_shuffled);
}

/// A field of the customers that was filled in later, and says how often they bought since.
#[test]
fn a_characteristic_that_knows_the_future_is_caught() {
    let orders = orders();
    let leaking = SCORES.replace("country = \"country\"", "country = \"income\"");
    assert_ne!(leaking, SCORES);
    let shops = [&orders, &shuffled_after(&orders)].map(|orders| shop_of(orders, &leaking, false));
    let [told, told_of_shuffled] = shops.each_ref().map(everything);
    assert!(told != told_of_shuffled);
}

#[test]
fn neither_threads_nor_the_order_of_loading_show() {
    let orders = orders();
    let expected = everything(&shop_of(&orders, SCORES, false));
    let mut alone = shop_of(&orders, SCORES, false);
    alone.engine = Engine::new(Limits { threads: 1, ..Limits::default() }).unwrap();
    same(&everything(&alone), &expected);
    same(&everything(&shop_of(&orders, SCORES, true)), &expected);
    // What an answer may have is no bound of what is learnt from: of a million customers that is tens of millions of lines.
    let mut bounded = shop_of(&orders, SCORES, false);
    bounded.engine = Engine::new(Limits { rows: 300, ..Limits::default() }).unwrap();
    assert!(bounded.run("SELECT order_id FROM orders").is_err());
    same(&everything(&bounded), &expected);
}

/// Who is told to leave did, more often than not: the score is worth something.
#[test]
fn a_score_says_how_good_it_is() {
    let shop = shop_of(&orders(), SCORES, false);
    let table = shop.session_as_of("2025-07-30T00:00:00").score("churn", &|_| ()).unwrap();
    let quality = &table.report.tables[0];
    let auc: Vec<f64> = quality.rows.iter().map(|row| row[1].parse().unwrap()).collect();
    assert!(auc[0] > 0.75, "{quality:?}");
    assert_eq!(quality.rows[1][0], "days of silence alone");
    let titles: Vec<&str> = table.report.tables.iter().map(|table| table.title.as_str()).collect();
    assert_eq!(titles.len(), 3, "{titles:?}");
    // Each tenth is an equal part, and together they are all.
    let tenths: u64 = table.report.tables[1].rows.iter().map(|row| row[1].parse::<u64>().unwrap()).sum();
    assert!(
        table
            .report
            .facts
            .iter()
            .any(|(name, value)| name == "judged at" && value.ends_with(&format!("of {tenths} left")))
    );
}

#[test]
fn the_newest_table_that_is_not_of_a_later_instant_is_read() {
    let shop = shop_of(&orders(), SCORES, false);
    let ask = |as_of: &str| shop.run(&format!("AS OF '{as_of}' SELECT avg(alive.p_alive) AS mean FROM profiles"));
    assert!(matches!(ask("2025-06-15T00:00:00"), Err(Error::NotScored { .. })));
    for as_of in ["2025-06-01T00:00:00", "2025-06-20T00:00:00"] {
        shop.session_as_of(as_of).score("alive", &|_| ()).unwrap();
    }
    let mean =
        |as_of: &str| shop.rows(&format!("AS OF '{as_of}' SELECT avg(alive.p_alive) AS mean FROM profiles"))[1].clone();
    assert!(matches!(ask("2025-05-31T00:00:00"), Err(Error::NotScored { .. })));
    assert_eq!(mean("2025-06-15T00:00:00"), mean("2025-06-01T00:00:00"));
    assert_eq!(mean("2025-06-30T00:00:00"), mean("2025-06-20T00:00:00"));
    assert_ne!(mean("2025-06-15T00:00:00"), mean("2025-06-20T00:00:00"));
    // A segment of it is refreshed with the table that is the newest then.
    let audience = shop.define("CREATE SEGMENT alive AS WHERE alive.p_alive > 0.9");
    assert!(audience.rows.len() > 50, "{}", audience.rows.len());
    // Everything is there again in another process.
    let shop = shop.reopened();
    assert_eq!(shop.define("CREATE OR REPLACE SEGMENT alive AS WHERE alive.p_alive > 0.9").rows, audience.rows);
}

/// Every offer is found again by asking for the item, and nobody wants more what is not offered first.
#[test]
fn who_wants_an_item_agrees_with_what_each_is_offered() {
    let shop = shop_of(&orders(), SCORES, false);
    shop.session().score("next_offer", &|_| ()).unwrap();
    for item in ["pencil", "pen", "book"] {
        let differ = format!(
            "SELECT count(*) AS n FROM profiles WHERE next_offer.first = '{item}' AND cadence.purchases > 0
             AND (offer_score('{item}') <> next_offer.first_score OR offer_score('{item}') IS NULL)"
        );
        assert_eq!(shop.rows(&differ)[1..], ["0"], "{item}");
        let more = format!(
            "SELECT count(*) AS n FROM profiles WHERE next_offer.first <> '{item}' AND cadence.purchases > 0
             AND offer_score('{item}') > next_offer.first_score"
        );
        assert_eq!(shop.rows(&more)[1..], ["0"], "{item}");
    }
    let offered = shop
        .rows("SELECT next_offer.first AS item, count(*) AS n FROM profiles GROUP BY next_offer.first ORDER BY item");
    assert!(offered.len() > 3, "{offered:?}");
    // Nothing that was bought in the last three days is offered.
    let bought = "SELECT count(*) AS n FROM profiles WHERE next_offer.first = 'pen'
                  AND has(orders) FILTER (WHERE total >= 10 AND total < 20 AND placed_at > now() - INTERVAL '2 days')";
    assert_eq!(shop.rows(bought)[1..], ["0"]);
    let unknown = shop.error("SELECT offer_score('sofa') FROM profiles");
    assert!(unknown.starts_with("nobody had bought the item `sofa` by 2025-06-30T12:00:00"), "{unknown}");
}

#[test]
fn a_score_that_fails_keeps_the_last_good_one_and_says_why() {
    let shop = shop_of(&orders(), SCORES, false);
    shop.session_as_of("2025-06-01T00:00:00").score("churn", &|_| ()).unwrap();
    // Long before anybody bought there is nobody who could leave.
    let early = shop.session_as_of("2023-01-01T00:00:00");
    let Err(Error::Score { score, .. }) = early.score("churn", &|_| ()) else { panic!("there was nobody") };
    assert_eq!(score, "churn");
    let session = shop.session();
    let standing = session.scores().unwrap().into_iter().find(|standing| standing.score == "churn").unwrap();
    assert_eq!(standing.newest.unwrap().as_of, instant("2025-06-01T00:00:00"));
    let failure = standing.failure.unwrap();
    assert!(failure.message.starts_with("the score churn cannot be computed: 0 leavers and 0 stayers"), "{failure:?}");
    session.score("churn", &|_| ()).unwrap();
    assert_eq!(session.scores().unwrap()[0].failure, None);
    let Err(Error::UnknownScore { nearest, .. }) = session.score("chrun", &|_| ()) else { panic!("no such score") };
    assert_eq!(nearest.as_deref(), Some("churn"));
}

/// What muster.toml says of a score: the mistake, and what is said of it.
#[test]
fn mistakes_in_expressions_come_with_their_place() {
    for (right, wrong, expected) in [
        ("\"cadence.purchases\"", "\"cadence.purchase\"", "line 31: `cadence.purchase` of the score churn"),
        ("\"country\"", "\"country) OR (TRUE\"", "line 33: `country) OR (TRUE` of the score churn"),
        ("\"country\"", "\"count(*)\"", "line 33: `count(*)` of the score churn"),
    ] {
        let more = SCORES.replacen(right, wrong, 1);
        assert_ne!(more, SCORES);
        let shop = shop_of(&orders()[..500], &more, false);
        let error = shop.session().score("churn", &|_| ()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let text = catalog(&SCORES.replacen("window_days = 60", "refresh = \"often\"", 1));
    let error = Scoring::of(&muster_catalog::parse("muster.toml", &text).unwrap()).unwrap_err().to_string();
    assert!(error.ends_with("\"often\" is no span of time; expected one such as \"1 day\" or \"PT6H\""), "{error}");
}

#[test]
fn a_score_is_due_when_its_span_is_over() {
    let shop = shop_of(&orders(), &SCORES.replacen("horizon_days = 60", "refresh = \"2 days\"", 1), false);
    let due = |as_of: &str| -> Vec<String> {
        let standing = shop.session_as_of(as_of).scores().unwrap().into_iter();
        standing.filter(|standing| standing.is_due).map(|standing| standing.score).collect()
    };
    assert_eq!(due("2025-06-01T00:00:00"), ["alive"]);
    shop.session_as_of("2025-06-01T00:00:00").score("alive", &|_| ()).unwrap();
    assert_eq!(due("2025-06-02T23:00:00"), [""; 0]);
    assert_eq!(due("2025-06-03T00:00:00"), ["alive"]);
}

#[test]
fn a_load_that_is_taken_back_takes_its_scores_with_it() {
    let shop = shop_of(&orders(), SCORES, false);
    shop.session_as_of("2025-06-01T00:00:00").score("alive", &|_| ()).unwrap();
    let more = catalog(SCORES);
    shop.load_as(&more, vec![input("profiles", CUSTOMERS, &["zoe z@x.example NL 1.00 s1"])]);
    shop.session_as_of("2025-06-20T00:00:00").score("alive", &|_| ()).unwrap();
    let as_of = |shop: &Shop| shop.session().score_table("alive").unwrap().as_of;
    assert_eq!(as_of(&shop), instant("2025-06-20T00:00:00"));
    shop.undo();
    assert_eq!(as_of(&shop), instant("2025-06-01T00:00:00"));
}

/// What the table says is what a join of the orders with themselves says.
#[test]
fn what_is_bought_together_is_counted_as_a_join_counts_it() {
    let more = format!(
        "{SCORES}
[scores.affinity.things]
table = \"orders\"
item = \"CASE WHEN total < 10 THEN 'pencil' WHEN total < 20 THEN 'pen' WHEN total < 30 THEN 'book' ELSE 'lamp' END\"
basket = \"profile\"
window_days = 90
least_baskets = 3

[scores.affinity.longer]
table = \"orders\"
item = \"CASE WHEN total < 10 THEN 'pencil' WHEN total < 20 THEN 'pen' WHEN total < 30 THEN 'book' ELSE 'lamp' END\"
basket = \"profile\"
longest = 3
least_confidence = 0.5
"
    );
    let shop = shop_of(&orders(), &more, false);
    let before = shop.error("SELECT * FROM affinity('things')");
    assert!(before.starts_with("the score affinity.things was not computed by 2025-06-30T12:00:00"), "{before}");
    for affinity in ["affinity.things", "affinity.longer"] {
        shop.session().score(affinity, &|_| ()).unwrap();
    }
    let joined = "WITH lines AS (SELECT DISTINCT customer AS basket, CASE WHEN total < 10 THEN 'pencil' WHEN total < 20
                      THEN 'pen' WHEN total < 30 THEN 'book' ELSE 'lamp' END AS item FROM orders
                      WHERE placed_at > now() - INTERVAL '90 days'),
                  items AS (SELECT item, count(*) AS baskets FROM lines GROUP BY item),
                  pairs AS (SELECT one.item AS item, other.item AS other, count(*) AS n FROM lines AS one
                      JOIN lines AS other ON one.basket = other.basket AND one.item <> other.item
                      GROUP BY one.item, other.item)
                  SELECT pairs.item AS item, pairs.other AS other, n AS count,
                         round(CAST(n AS DOUBLE) / one.baskets, 9) AS confidence
                  FROM pairs JOIN items AS one ON one.item = pairs.item WHERE n >= 3 ORDER BY item, other";
    let told =
        "SELECT item, other, count, round(confidence, 9) AS confidence FROM affinity('things') ORDER BY item, other";
    let told = shop.rows(told);
    assert_eq!(told, shop.rows(joined));
    assert_eq!(told.len(), 1 + 4 * 3);
    // It joins and filters like any table, under its own name or another.
    let led = "SELECT p.id AS id, a.other AS other FROM profiles AS p JOIN affinity('things') AS a
               ON a.item = 'pen' AND a.count > 2 AND p.country = 'NL' ORDER BY id, other LIMIT 2";
    assert_eq!(shop.rows(led).len(), 3);
    assert_eq!(shop.rows("SELECT affinity.item FROM affinity('THINGS') ORDER BY lift DESC LIMIT 1").len(), 2);
    let longer = shop.rows("SELECT item FROM affinity('longer') WHERE item LIKE '% + %' ORDER BY item LIMIT 1");
    assert_eq!(longer[1..], ["book + lamp"]);
    let unknown = shop.error("SELECT * FROM affinity('thing')");
    assert!(
        unknown.contains("there is no affinity `thing`") && unknown.contains("did you mean 'things'?"),
        "{unknown}"
    );
}

/// The weights of `compare` are those that models read: one formula, written once as SQL and once for slices.
#[test]
fn compare_says_what_the_evidence_of_models_says() {
    let shop = shop_of(&orders(), SCORES, false);
    shop.define("CREATE SEGMENT everybody AS WHERE TRUE");
    shop.define("CREATE SEGMENT leavers AS WHERE cadence.days_since_last > 60");
    let compared = shop.rows(
        "SELECT category, segment_profiles, base_profiles, \"index\", z, woe FROM compare('leavers', 'everybody', country)
         ORDER BY category",
    );
    let cells: Vec<Vec<&str>> = compared[1..].iter().map(|row| row.split(" | ").collect()).collect();
    let whole = |cell: &str| cell.parse::<u64>().unwrap();
    let leavers: Vec<u64> = cells.iter().map(|row| whole(row[1])).collect();
    let stayers = cells.iter().map(|row| whole(row[2]) - whole(row[1])).collect();
    assert!(leavers.iter().all(|count| *count > 5), "{compared:?}");
    let counts = muster_score::evidence::Counts { leavers, stayers };
    let found = muster_score::evidence::evidence(&counts, 0.5).unwrap();
    for (row, found) in cells.iter().zip(found.categories) {
        for (cell, expected) in row[3..].iter().zip([found.index, found.z, found.woe]) {
            let (told, expected) = (cell.parse::<f64>().unwrap(), expected.unwrap());
            assert!((told - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{row:?}: {told} and {expected}");
        }
    }
}

#[test]
fn a_score_is_described_and_says_as_of_when_it_is() {
    let shop = shop_of(&orders(), SCORES, false);
    assert_eq!(
        shop.rows("DESCRIBE churn"),
        ["column | type", "score | float", "band | text", "reasons | text", "as_of | timestamp"]
    );
    assert_eq!(shop.rows("DESCRIBE alive.p_alive")[1..], ["p_alive | float"]);
    assert_eq!(shop.error("DESCRIBE churn.bend"), "there is no column `bend` in `churn`; did you mean `band`?");
    shop.session_as_of("2025-06-01T00:00:00").score("alive", &|_| ()).unwrap();
    let told = "SELECT count(*) AS n, min(alive.as_of) AS first, max(alive.as_of) AS last FROM profiles
                WHERE cadence.purchases > 0 AND cadence.first_at < DATE '2025-06-01'";
    let told = shop.rows(told)[1].clone();
    assert!(told.ends_with("| 2025-06-01T00:00:00+02:00 | 2025-06-01T00:00:00+02:00"), "{told}");
}

#[test]
fn a_score_learnt_from_what_is_masked_is_refused_like_a_segment_of_it() {
    let shop = shop_of(&orders(), SCORES, false);
    for score in ["churn", "alive", "next_offer"] {
        shop.session().score(score, &|_| ()).unwrap();
    }
    let text = catalog(SCORES).replacen("email = {", "country = { class = \"sensitive\" }\nemail = {", 1);
    let classes = Classes::declared(&muster_catalog::parse("muster.toml", &text).unwrap());
    let classes = classes.granted(Grants::of([Class::Internal, Class::Personal]));
    let mut analyst = shop.session().with_classes(classes);
    // churn has a characteristic of it, next_offer a group; who is alive has nothing to do with it.
    for masked in ["churn.score", "churn.as_of", "next_offer.first", "offer_score('pen')"] {
        let error = run(&mut analyst, &format!("SELECT {masked} FROM profiles")).unwrap_err().to_string();
        assert!(error.starts_with("`profiles.country` is sensitive"), "{masked}: {error}");
    }
    run(&mut analyst, "SELECT alive.p_alive FROM profiles").unwrap();
    let error = analyst.churn_reasons("p001").unwrap_err().to_string();
    assert!(error.starts_with("`profiles.country` is sensitive"), "{error}");
}

/// What was kept stays what it was; what is told of it now knows of an order of before that came later.
#[test]
fn reasons_add_up_to_the_kept_score_until_something_of_before_is_loaded() {
    let shop = shop_of(&orders(), SCORES, false);
    let Err(Error::NotScored { .. }) = shop.session().churn_reasons("p001") else { panic!("nothing is kept yet") };
    let as_of = "2025-06-01T00:00:00";
    shop.session_as_of(as_of).score("churn", &|_| ()).unwrap();
    let kept = shop.rows("SELECT id FROM profiles WHERE churn.score IS NOT NULL ORDER BY id")[1..].to_vec();
    assert!(kept.len() > 50);
    for key in &kept {
        let told = shop.session().churn_reasons(key).unwrap();
        assert_eq!((told.as_of, told.kept), (instant(as_of), Some(told.score)), "{key}");
        let sum: f64 = told.base + told.characteristics.iter().map(|reason| reason.contribution).sum::<f64>();
        assert!((sum - told.log_odds).abs() < 1e-9, "{told:?}");
        assert_eq!(told.score, muster_score::logistic::probability(told.log_odds));
        let values: Vec<&Fact> = told.characteristics.iter().map(|reason| &reason.value).collect();
        assert!(matches!(values[..], [Fact::Number(_), Fact::Number(_), Fact::Number(_), Fact::Text(_)]), "{told:?}");
    }
    let key = &kept[0];
    let order = format!("late {key} 2025-05-31T10:00:00Z 1.00");
    shop.load_as(&catalog(SCORES), vec![input("orders", ORDERS, &[&order])]);
    let told = shop.session().churn_reasons(key).unwrap();
    assert!(told.kept.is_some() && told.kept != Some(told.score), "{told:?}");
    let outside = shop.rows("SELECT id FROM profiles WHERE churn.score IS NULL ORDER BY id LIMIT 1")[1].clone();
    let error = shop.session().churn_reasons(&outside).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "`{outside}` has no churn.score as of 2025-06-01T00:00:00+02:00: it is not in the base, which is who meets \
             `cadence.days_since_last < 120`"
        )
    );
    let error = shop.session().churn_reasons("p0001").unwrap_err().to_string();
    assert!(error.starts_with("no profile has the key `p0001` in `id`; did you mean `p0"), "{error}");
}

#[test]
fn what_says_which_items_count_is_a_condition() {
    let more = SCORES.replacen("when = \"total < 40\"", "when = \"total\"", 1);
    assert_ne!(more, SCORES);
    let shop = shop_of(&orders()[..500], &more, false);
    let error = shop.session().score("next_offer", &|_| ()).unwrap_err();
    let told = std::error::Error::source(&error).unwrap().to_string();
    assert!(error.to_string().ends_with("`total` of the score next_offer cannot be read"), "{error}");
    assert!(told.contains("and a condition is true or false"), "{told}");
    assert_eq!(shop.session().score_faults().unwrap().len(), 1);
}

/// Eight are kept, and one of long ago that was asked for just now.
#[test]
fn a_table_of_long_ago_is_kept_beside_the_newest() {
    let shop = shop_of(&orders(), SCORES, false);
    for day in 1..=9 {
        shop.session_as_of(&format!("2025-06-0{day}T00:00:00")).score("alive", &|_| ()).unwrap();
    }
    let ask = |as_of: &str| shop.run(&format!("AS OF '{as_of}' SELECT count(alive.p_alive) AS n FROM profiles"));
    assert!(matches!(ask("2025-06-01T12:00:00"), Err(Error::NotScored { .. })));
    shop.session_as_of("2025-05-01T00:00:00").score("alive", &|_| ()).unwrap();
    ask("2025-05-02T00:00:00").unwrap();
    ask("2025-06-02T12:00:00").unwrap();
}

/// What one session found out of an older table is forgotten when a newer one is there.
#[test]
fn a_newer_table_is_seen_by_a_session_that_knows_the_older_one() {
    let shop = shop_of(&orders(), SCORES, false);
    shop.session_as_of("2025-04-01T00:00:00").score("alive", &|_| ()).unwrap();
    shop.define("CREATE SEGMENT awake AS WHERE alive.p_alive > 0.9");
    let session = shop.session();
    let count = || session.evaluator().unwrap().rows("awake", session.as_of()).unwrap().len();
    let before = count();
    session.score("alive", &|_| ()).unwrap();
    assert_ne!(count(), before);
}
