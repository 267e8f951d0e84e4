//! `[scores.NAME]`: how the scores are computed.

use muster_catalog::{Basket, CutPoints, Learner, Reactivation, Rfm, RfmGroup, RfmMethod, Scores};

use crate::world::{check, check_rfm, completed, read};

fn scores(text: &str) -> Scores {
    read(&completed(text)).unwrap_or_else(|problems| panic!("{text}\n{problems}")).scores
}

#[test]
fn what_is_not_said_of_scores_has_a_default() {
    let house = Scores {
        rfm: Rfm { bins: 5, method: RfmMethod::Ntile, groups: None },
        reactivation: Reactivation { multiple: 2.0, visits: Vec::new() },
        ..Scores::default()
    };
    assert_eq!((house.churn.window_days, house.alive.horizon_days), (90, 90));
    for text in ["", "[scores]\n", "[scores.rfm]\n[scores.reactivation]\n[scores.churn]\n[scores.alive]\n"] {
        assert_eq!(Scores { declared: Vec::new(), ..scores(text) }, house, "{text}");
    }
    assert_eq!(scores("[scores.rfm]\n[scores.alive]\n").declared, ["rfm", "alive"]);
    assert_eq!(scores("[scores.rfm]\nbins = 9\nmethod = \"quantile\"\n").rfm.method, RfmMethod::Quantile);
    assert_eq!(scores("[scores.rfm]\nbins = 2\nmethod = \"ntile\"\n").rfm.bins, 2);
}

#[test]
fn points_to_cut_at_are_kept_as_they_are_written() {
    let text = "[scores.rfm]\nbins = 5\nmethod = \"fixed\"\nrecency = [-1, 30, 90, 365]\nfrequency = [1, 2, 3, 5]
monetary = [-1_0, 99.95, \" 99.951 \", +12345678901234567890.123456789012345678]\n";
    let points = CutPoints {
        recency: vec![-1, 30, 90, 365],
        frequency: vec![1, 2, 3, 5],
        monetary: ["-10", "99.95", "99.951", "12345678901234567890.123456789012345678"].map(str::to_owned).to_vec(),
    };
    assert_eq!(scores(text).rfm.method, RfmMethod::Fixed(points));
}

#[test]
fn a_group_is_a_range_of_bins_of_each() {
    let text = "[scores.rfm]\nbins = 4\n[[scores.rfm.groups]]\nname = \"best\"\nr = [3, 4]\nf = [4, 4]\n
[[scores.rfm.groups]]\nname = \"rest\"\n";
    let group = |name: &str, r, f, m| RfmGroup { name: name.to_owned(), r, f, m };
    let expected = vec![group("best", 3..=4, 4..=4, 1..=4), group("rest", 1..=4, 1..=4, 1..=4)];
    assert_eq!(scores(text).rfm.groups, Some(expected));
    let inline = scores("[scores.rfm]\ngroups = [{ name = \"a\", m = [1, 2] }]\n").rfm.groups;
    assert_eq!(inline, Some(vec![group("a", 1..=5, 1..=5, 1..=2)]));
}

#[test]
fn a_multiple_is_any_number_above_nothing() {
    for (written, multiple) in [("3", 3.0), ("1.5", 1.5), ("0.1", 0.1)] {
        let found = scores(&format!("[scores.reactivation]\nmultiple = {written}\n")).reactivation;
        assert_eq!(found, Reactivation { multiple, visits: Vec::new() });
    }
    for written in ["0", "-1", "nan", "inf", "\"2\""] {
        check(
            &format!("[scores.reactivation]\nmultiple = {written}\n"),
            "muster.toml line 2, column 1: `multiple` in [scores.reactivation] must be a number above 0",
        );
    }
}

#[test]
fn an_unknown_score_or_key_comes_with_the_nearest() {
    check(
        "[scores.rmf]\nbins = 5\n",
        "muster.toml line 1, column 9: unknown key `rmf` in [scores]\n  hint: did you mean `rfm`?",
    );
    check_rfm(
        "bin = 5",
        "muster.toml line 2, column 1: unknown key `bin` in [scores.rfm]\n  hint: did you mean `bins`?",
    );
    check_rfm(
        "method = \"ntiles\"",
        "muster.toml line 2, column 1: `method` in [scores.rfm] is \"ntiles\"; expected one of ntile, quantile, fixed
  hint: did you mean \"ntile\"?",
    );
}

#[test]
fn bins_are_from_two_to_nine() {
    for bins in ["1", "10", "\"5\"", "5.0"] {
        check_rfm(
            &format!("bins = {bins}"),
            "muster.toml line 2, column 1: `bins` in [scores.rfm] must be a whole number from 2 to 9",
        );
    }
}

#[test]
fn points_belong_to_the_method_that_cuts_at_them() {
    check_rfm(
        "recency = [1, 2, 3, 4]",
        "muster.toml line 2, column 1: `recency` in [scores.rfm] needs method = \"fixed\"",
    );
    check_rfm(
        "method = \"fixed\"\nrecency = [1, 2, 3, 4]\nfrequency = [1, 2, 3, 4]",
        "muster.toml line 1, column 9: `monetary` is missing in [scores.rfm]: method = \"fixed\" cuts at points given",
    );
}

#[test]
fn points_rise_and_are_one_fewer_than_bins() {
    for points in ["[1, 2]", "[1, 3, 3]", "[3, 2, 1]", "[1, 2.0, 3]", "3"] {
        check_rfm(
            &format!("bins = 4\nmethod = \"fixed\"\nfrequency = {points}\nrecency = [1, 2, 3]\nmonetary = [1, 2, 3]"),
            "muster.toml line 4, column 1: `frequency` in [scores.rfm] must be a list of 3 whole numbers, each above the one before",
        );
    }
    for points in
        ["[1]", "[2, 1]", "[1, \"1.00\"]", "[1, 1e3]", "[1, \"2,5\"]", "[\"\", 2]", "[\".5\", 2]", "[1, true]"]
    {
        check_rfm(
            &format!("bins = 3\nmethod = \"fixed\"\nfrequency = [1, 2]\nrecency = [1, 2]\nmonetary = {points}"),
            "muster.toml line 6, column 1: `monetary` in [scores.rfm] must be a list of 2 amounts as 100, 99.95 or \"99.95\", each above the one before",
        );
    }
}

#[test]
fn a_group_has_a_name_and_bins_that_there_are() {
    for bins in ["[0, 2]", "[3, 2]", "[2, 6]", "[2]", "[1, 2, 3]", "3", "[1, 300]"] {
        check_rfm(
            &format!("groups = [\n{{ name = \"a\", f = {bins} }}]"),
            "muster.toml line 3, column 15: `f` in [scores.rfm.groups] must be the lowest and the highest bin, as [1, 5]",
        );
    }
    check_rfm("groups = [\n{ r = [1, 2] }]", "muster.toml line 3, column 1: `name` is missing in [scores.rfm.groups]");
    check_rfm(
        "groups = []",
        "muster.toml line 2, column 1: `groups` in [scores.rfm] must be a list of sections: [[scores.rfm.groups]]",
    );
}

/// A shop whose orders are purchases, with lines below them.
const SHOP: &str = r#"[tables.orders]
source = "orders.csv"
key = "order_id"
parent = "profiles"
on = "customer_id"
time = "placed_at"
purchase = { value = "total" }
[tables.lines]
source = "lines.csv"
parent = "orders"
on = "order_id"
"#;

#[test]
fn who_leaves_is_described_by_expressions_that_know_their_place() {
    let text =
        "[scores.churn]\nwindow_days = 60\nlearner = \"boosted\"\nbase = \"count(orders) > 1\"\nrefresh = \"1 day\"
[scores.churn.characteristics]\nsilence = \"cadence.days_since_last\"\ncountry = \"country\"\n";
    let churn = scores(text).churn;
    assert_eq!((churn.window_days, churn.learner), (60, Learner::Boosted));
    let base = churn.base.unwrap();
    assert_eq!((base.text.as_str(), base.place.line, base.place.column), ("count(orders) > 1", 4, 9));
    let names: Vec<(&str, &str)> =
        churn.characteristics.iter().map(|(name, expression)| (name.as_str(), expression.text.as_str())).collect();
    assert_eq!(names, [("silence", "cadence.days_since_last"), ("country", "country")]);
    check(
        "[scores.churn]\nwindow_days = 0\n",
        "muster.toml line 2, column 1: `window_days` in [scores.churn] must be a whole number from 1 to 3660",
    );
    check(
        "[scores.churn]\nlearner = \"deep\"\n",
        "muster.toml line 2, column 1: `learner` in [scores.churn] is \"deep\"; expected one of logistic, boosted",
    );
}

#[test]
fn items_are_rows_of_purchases_or_right_below_them() {
    let offers = |lines: &str| format!("{SHOP}[scores.next_offer]\n{lines}\n");
    for table in ["orders", "lines"] {
        let offer = scores(&offers(&format!("table = \"{table}\"\nitem = \"product_id\""))).next_offer.unwrap();
        assert_eq!((offer.table.as_str(), offer.quiet_days, offer.least_baskets), (table, 7, 2));
    }
    check(
        &offers("table = \"profiles\"\nitem = \"product_id\""),
        "muster.toml line 13, column 1: `table` in [scores.next_offer] names `profiles`, which holds no items of \
         purchases; expected orders or a table below it\n  hint: table = \"lines\"",
    );
    check(&offers("table = \"lines\""), "muster.toml line 12, column 9: `item` is missing in [scores.next_offer]");
    check(
        "[scores.next_offer]\ntable = \"lines\"\nitem = \"product_id\"\n",
        "muster.toml line 1, column 9: [scores.next_offer] needs purchases, and no table says which rows are
  hint: write `purchase = { value = \"…\" }` into the table of orders",
    );
}

#[test]
fn visits_are_histories_right_below_profiles_with_a_time() {
    let more = |list: &str| {
        format!(
            "{SHOP}[tables.web_visits]\nsource = \"v.csv\"\nparent = \"profiles\"\non = \"customer_id\"\ntime = \"at\"
[tables.notes]\nsource = \"n.csv\"\nparent = \"profiles\"\non = \"customer_id\"
[tables.stores]\nsource = \"s.csv\"\nkey = \"store\"\nlookup = {{ home = \"profiles.store\" }}
[scores.reactivation]\nvisits = {list}\n"
        )
    };
    let found = scores(&more("[\"web_visits\", \"orders\"]")).reactivation;
    assert_eq!((found.multiple, found.visits), (2.0, vec!["web_visits".to_owned(), "orders".to_owned()]));
    assert_eq!(scores(&more("[]")).reactivation, Reactivation::default());
    let at = "muster.toml line 26, column 1: `visits` in [scores.reactivation]";
    for (list, expected) in [
        ("[\"web_visit\"]", " names `web_visit`, and there is no such table\n  hint: did you mean \"web_visits\"?"),
        (
            "[\"lines\"]",
            " names `lines`, which is no history right below profiles\n  \
             hint: histories right below profiles with a time: orders, web_visits",
        ),
        (
            "[\"stores\"]",
            " names `stores`, which is no history right below profiles\n  \
             hint: histories right below profiles with a time: orders, web_visits",
        ),
        (
            "[\"notes\"]",
            " names `notes`, which does not say when: it has no `time`\n  \
             hint: histories right below profiles with a time: orders, web_visits",
        ),
        ("\"web_visits\"", " must be a list of names, each of them once"),
        ("[\"orders\", \"orders\"]", " must be a list of names, each of them once"),
    ] {
        check(&more(list), &format!("{at}{expected}"));
    }
}

#[test]
fn what_is_bought_together_has_names() {
    let affinity =
        |lines: &str| format!("{SHOP}[scores.affinity.product]\ntable = \"lines\"\nitem = \"product_id\"\n{lines}\n");
    let found =
        scores(&affinity("basket = \"profile\"\nwindow_days = 365\nlongest = 3\nleast_confidence = 0.1")).affinities;
    let [one] = &found[..] else { panic!("{found:?}") };
    assert_eq!((one.name.as_str(), one.basket, one.window_days), ("product", Basket::Profile, Some(365)));
    assert_eq!((one.longest, one.least_baskets, one.least_confidence), (3, 5, 0.1));
    for (lines, expected) in [
        ("longest = 7", "`longest` in [scores.affinity.product] must be a whole number from 2 to 6"),
        ("least_confidence = 1.1", "`least_confidence` in [scores.affinity.product] must be a number from 0 to 1"),
        ("basket = \"order\"", "`basket` in [scores.affinity.product] is \"order\"; expected one of purchase, profile"),
    ] {
        check(&affinity(lines), &format!("muster.toml line 15, column 1: {expected}"));
    }
}
