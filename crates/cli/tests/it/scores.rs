//! Scores that are learnt, over the binary: published figures from raw files, real purchases, refreshing, reports, models.

use std::fs;
use std::path::Path;

use muster_testkit::real_data;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::binary::{call, done, json, muster_in, rows, run};
use crate::world::{own_corner_shop, project, workspace, workspace_of};

/// The fact of a score's report.
#[track_caller]
fn fact<'d>(document: &'d Value, name: &str) -> &'d str {
    let facts = document["report"]["facts"].as_array().unwrap();
    facts.iter().find(|fact| fact[0] == name).unwrap_or_else(|| panic!("no {name}"))[1].as_str().unwrap()
}

/// Figures of a row of a table of a report.
#[track_caller]
fn figures(document: &Value, table: usize, row: usize) -> Vec<f64> {
    let cells = document["report"]["tables"][table]["rows"][row].as_array().unwrap();
    cells[1..].iter().filter_map(|cell| cell.as_str().unwrap().parse().ok()).collect()
}

/// The sample of CDNOW that the literature uses: every tenth customer, from its raw file.
const SAMPLE: &str = r#"
[workspace]
name = "cdnow sample"
time_zone = "America/New_York"
currency = "USD"
as_of = "1998-06-30T23:59:59"

[tables.profiles]
source = "files/CDNOW_sample.txt"
blanks = true
header = false
names = ["master", "customer_id", "date", "cds", "dollars"]
key = "customer_id"
one_row_per_key = true

[tables.profiles.columns]
customer_id = { type = "id" }

[tables.purchases]
source = "files/CDNOW_sample.txt"
blanks = true
header = false
names = ["master", "customer_id", "date", "cds", "dollars"]
parent = "profiles"
on = "customer_id"
time = "bought_at"
purchase = { value = "dollars" }

[tables.purchases.columns]
master = { type = "id" }
customer_id = { type = "id" }
bought_at = { from = "date", type = "timestamp", format = "%Y%m%d" }
dollars = { type = "decimal(12,2)" }

[scores.alive]
horizon_days = 273
"#;

/// Fader, Hardie and Lee (2005), calibrated on the first 39 weeks and judged on the next 39, to their digits.
#[test]
fn cdnow_from_the_raw_file_gives_the_published_parameters() {
    let Some(files) = real_data("cdnow") else { return };
    let folder = workspace_of(&[("muster.toml", SAMPLE)]);
    let dir = folder.path();
    std::os::unix::fs::symlink(files, dir.join("files")).unwrap();
    let report = json(dir, &["load"]);
    assert_eq!(report["tables"][0]["stored"]["rows"], json!(2_357));
    let calibrated = json(dir, &["--as-of", "1997-09-30T23:59:59", "score", "alive"]);
    assert_eq!(fact(&calibrated[0], "BG/NBD"), "r 0.2426, alpha 4.4136, a 0.7929, b 2.4259, in weeks");
    let log_likelihood: f64 = fact(&calibrated[0], "log-likelihood").parse().unwrap();
    assert!((log_likelihood - -9582.43).abs() < 0.005, "{log_likelihood}");
    assert!(fact(&calibrated[0], "Gamma-Gamma").starts_with("p 6.2"), "{}", fact(&calibrated[0], "Gamma-Gamma"));
    // The second customer of the sample bought twice again, the last time after 30.43 weeks of 38.86.
    let further = rows(
        dir,
        "AS OF '1997-10-01' SELECT round(alive.expected_purchases, 3) FROM profiles WHERE customer_id = '0001'",
    );
    assert_eq!(further, ["1.226"]);
    let never_again =
        "AS OF '1997-10-01' SELECT count(*) FROM profiles WHERE cadence.span_days = 0 AND alive.p_alive <> 1";
    assert_eq!(rows(dir, never_again), ["0"]);
    let held_out = json(dir, &["score", "alive"]);
    let [told, bought, correlation, ..] = figures(&held_out[0], 0, 0)[..] else { panic!("{held_out}") };
    assert_eq!((told.round(), bought, correlation), (1653.0, 1882.0, 0.6256));
}

fn online_retail() -> Option<TempDir> {
    let files = real_data("online-retail")?;
    let folder = workspace(&project().join("datasets/online-retail/muster.toml"), &files);
    done(folder.path(), &["load"]);
    Some(folder)
}

/// Every column of every score as text.
fn all_scores(dir: &Path) -> String {
    let columns = "customer_id, churn.score, churn.band, churn.reasons, next_offer.first, next_offer.first_score,
                   next_offer.first_because, next_offer.second, next_offer.second_score, next_offer.third,
                   next_offer.third_score, rfm.cell, cadence.mean_gap_days";
    done(dir, &["sql", "--format", "csv", "-c", &format!("SELECT {columns} FROM profiles ORDER BY customer_id")])
}

#[test]
fn online_retail_tells_who_leaves_and_what_is_wanted_better_than_simple_ways() {
    let Some(folder) = online_retail() else { return };
    let dir = folder.path();
    let one = |threads: &str| {
        run(muster_in(dir).args(["score", "churn", "next_offer"]).env("RAYON_NUM_THREADS", threads)).ended_with(0);
        (all_scores(dir), done(dir, &["--json", "score", "--kept"]))
    };
    let (scores, documents) = one("1");
    assert_eq!(scores.lines().count(), 2_719);
    // Neither how many threads there are nor when it is done shows.
    assert_eq!(one("2"), (scores, documents.clone()));
    let documents: Value = serde_json::from_str(&documents).unwrap();
    let [ranks, churn, offers] = &documents.as_array().unwrap()[..] else { panic!("{documents}") };
    assert_eq!((&ranks["score"], &ranks["profiles"]), (&json!("rfm"), &json!(2_718)));
    let [ours, silence] = [0, 1].map(|row| figures(churn, 0, row)[0]);
    assert!(ours > 0.70 && silence < 0.65, "AUC {ours} beside {silence} of silence alone");
    let interval = |row: usize| churn["report"]["tables"][0]["rows"][row][2].as_str().unwrap().to_owned();
    let [ours, silence] = [0, 1].map(interval);
    // The intervals do not touch.
    assert!(ours.split(" to ").next().unwrap() > silence.split(" to ").nth(1).unwrap(), "{ours} beside {silence}");
    let ways = [0, 1, 2, 3].map(|row| figures(offers, 0, row));
    for others in &ways[1..] {
        assert!((1..=3).all(|figure| ways[0][figure] >= others[figure]), "{ways:?}");
    }
    let lately =
        "SELECT count(*) FROM profiles WHERE has(order_lines) FILTER (WHERE upper(stock_code) = next_offer.first
                  AND orders.invoiced_at >= now() - INTERVAL '6 days')";
    assert_eq!(rows(dir, lately), ["0"]);
}

/// A sample of lines, so that baskets lack most of theirs: offers are judged all the same, with no goal.
#[test]
fn the_complete_journey_is_loaded_but_for_what_is_damaged_and_its_offers_are_judged() {
    let Some(files) = real_data("complete-journey") else { return };
    let folder = workspace(&project().join("datasets/complete-journey/muster.toml"), &files);
    let dir = folder.path();
    run(muster_in(dir).arg("load")).ended_with(3);
    assert_eq!(rows(dir, "SELECT count(*), count(products.product_type) FROM order_lines"), ["74998,74702"]);
    let offers = json(dir, &["score", "next_offer"]);
    let ways = [0, 1, 2, 3].map(|row| figures(&offers[0], 0, row));
    assert_eq!(ways[0][0], 1_461.0, "{ways:?}");
    for others in &ways[1..] {
        assert!((1..=3).all(|figure| ways[0][figure] >= others[figure]), "{ways:?}");
    }
}

#[test]
fn a_report_is_a_page_that_needs_nothing_and_a_model_is_a_text() {
    let folder = own_corner_shop();
    let dir = folder.path();
    let page = dir.join("scores.html");
    let page_text = page.to_str().unwrap();
    let said = done(dir, &["score", "--report", page_text]);
    for title in ["churn: ", "alive: ", "next_offer: ", "Tenths of the base", "What speaks for leaving"] {
        assert!(said.contains(title), "{title} is not in:\n{said}");
    }
    let html = fs::read_to_string(&page).unwrap();
    for part in [
        "how lately and how often",
        "champions",
        "<polyline class=\"first\"",
        "<rect",
        "shade5",
        "Evidence of ",
        "default-src 'none'",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert!(!html.contains("://"), "nothing is fetched");
    // What is kept gives the same page.
    let again = dir.join("again.html");
    done(dir, &["score", "--kept", "--report", again.to_str().unwrap()]);
    assert_eq!(fs::read_to_string(again).unwrap(), html);
    let model = dir.join("churn.json");
    done(dir, &["score", "churn", "--kept", "--model", model.to_str().unwrap()]);
    let model: Value = serde_json::from_str(&fs::read_to_string(model).unwrap()).unwrap();
    assert_eq!((&model["score"], &model["model"]["version"]), (&json!("churn"), &json!(1)));
    let said = call(dir, ["score", "--kept", "--model", "x.json"]).ended_with(1).stderr;
    assert!(said.contains("--model writes the model of one score"), "{said}");
}

#[test]
fn scores_are_refreshed_by_name_by_due_and_one_by_one() {
    let folder = own_corner_shop();
    let dir = folder.path();
    let toml = dir.join("muster.toml");
    let text = fs::read_to_string(&toml).unwrap();
    fs::write(&toml, text.replacen("[scores.alive]\n", "[scores.alive]\nrefresh = \"7 days\"\n", 1)).unwrap();
    let said = done(dir, &["refresh", "--scores", "--due"]);
    assert_eq!(said, "alive: 1,608 profiles as of 2025-06-30T12:00:00+02:00\n");
    assert_eq!(done(dir, &["refresh", "--scores", "--due"]), "no score is due\n");
    let said = done(dir, &["--as-of", "2025-07-07T12:00:00", "refresh", "--scores", "--due"]);
    assert!(said.starts_with("alive: "), "{said}");
    // The segments that name a score are refreshed after it.
    done(dir, &["sql", "-c", "CREATE SEGMENT awake AS WHERE alive.p_alive > 0.8"]);
    assert!(done(dir, &["--as-of", "2025-07-14T12:00:00", "refresh", "--due"]).starts_with("alive: "));
    let failed = call(dir, ["--as-of", "2000-01-01", "refresh", "--scores"]).ended_with(1);
    assert!(failed.stderr.contains("score churn: ") && failed.stderr.contains("score alive: "), "{}", failed.stderr);
    assert!(failed.stdout.contains("next_offer: 0 profiles"), "{}", failed.stdout);
    let stale = done(dir, &["score", "alive", "--kept"]);
    assert!(stale.contains("stale: on "), "{stale}");
    let unknown = call(dir, ["score", "alife"]).ended_with(1).stderr;
    assert!(unknown.contains("there is no score `alife`") && unknown.contains("`alive`"), "{unknown}");
}

/// The corner shop's prospects, by the rule written out as SQL: who was seen on several days and never followed a link is due
/// on the first day after twice their own gap.
#[test]
fn prospects_of_the_corner_shop_are_due_by_their_visits() {
    let folder = own_corner_shop();
    let dir = folder.path();
    done(dir, &["score", "engagement"]);
    let told = "WITH seen AS (SELECT count(web_visits) AS visits, CAST(min(web_visits.visited_at) AS DATE) AS first,
                    CAST(max(web_visits.visited_at) AS DATE) AS last, CAST(reactivation.due_at AS DATE) AS due
                    FROM profiles WHERE cadence.purchases = 0 AND engagement.clicks = 0)
                SELECT sum(CASE WHEN last > first THEN 1 ELSE 0 END) AS often,
                    sum(CASE WHEN due = last + CAST(floor(2.0 * (last - first) / (visits - 1)) AS INT) + 1 THEN 1 ELSE 0 END)
                    AS told, sum(CASE WHEN visits = 0 AND due IS NOT NULL THEN 1 ELSE 0 END) AS wrong
                FROM seen WHERE last IS NULL OR last > first";
    let found = rows(dir, told);
    let [often, told, wrong] = found[0].split(',').map(|cell| cell.parse::<u64>().unwrap()).collect::<Vec<_>>()[..]
    else {
        panic!("{found:?}")
    };
    assert!(often > 50 && told == often && wrong == 0, "{found:?}");
    let once = "SELECT count(*) FROM profiles WHERE cadence.purchases = 0 AND engagement.clicks + count(web_visits) = 1
                AND reactivation.due_at IS NULL";
    assert_eq!(rows(dir, once), ["0"]);
}

/// Base and contributions add up to the log-odds, and these are the kept score.
#[test]
fn why_a_score_is_what_it_is_adds_up() {
    let folder = own_corner_shop();
    let dir = folder.path();
    let toml = fs::read_to_string(dir.join("muster.toml")).unwrap();
    for (learner, near) in [("logistic", 1e-9), ("boosted", 1e-4)] {
        let window = "[scores.churn]\nwindow_days = 120";
        let own = format!("{window}\nlearner = \"{learner}\"\n#");
        fs::write(dir.join("muster.toml"), toml.replacen(window, &own, 1)).unwrap();
        done(dir, &["score", "churn"]);
        // What muster.toml says by now does not show in what was kept.
        let other = format!("{window}\ncharacteristics = {{ country = \"country\" }}\n#");
        fs::write(dir.join("muster.toml"), toml.replacen(window, &other, 1)).unwrap();
        let scored = rows(
            dir,
            "SELECT customer_id, CAST(churn.score AS VARCHAR) FROM profiles WHERE churn.score IS NOT NULL ORDER BY customer_id LIMIT 3",
        );
        for row in &scored {
            let (key, score) = row.split_once(',').unwrap();
            let told = json(dir, &["score", "churn", "--why", key]);
            let number = |value: &Value| value.as_f64().unwrap();
            let added = told["characteristics"].as_array().unwrap();
            let sum = number(&told["base"]) + added.iter().map(|one| number(&one["contribution"])).sum::<f64>();
            let log_odds = number(&told["log_odds"]);
            assert!((sum - log_odds).abs() < near, "{sum} and {log_odds} of {told}");
            assert!((1.0 / (1.0 + (-log_odds).exp()) - number(&told["told"])).abs() < 1e-12, "{told}");
            assert_eq!((number(&told["told"]), &told["kept"]), (score.parse().unwrap(), &told["told"]));
            assert_eq!((told["learner"].as_str(), added.len()), (Some(learner), 7));
            assert_eq!(added[1]["expression"], json!("cadence.days_since_last"));
            assert!(added[1]["value"].is_number(), "{told}");
            let said = done(dir, &["score", "churn", "--why", key]);
            assert!(
                said.starts_with(&format!("churn of {key} as of 2025-06-30T12:00:00+02:00, by the {learner} model"))
            );
            assert!(
                said.contains("\n  days_since_last  ") && said.ends_with(&format!("{:.4}\n", number(&told["told"])))
            );
        }
    }
    let prospect =
        rows(dir, "SELECT customer_id FROM profiles WHERE cadence.purchases = 0 ORDER BY customer_id LIMIT 1");
    for (arguments, expected) in [
        (&["score", "churn", "--why", "nobody at all"][..], "no profile has the key `nobody at all` in `customer_id`"),
        (
            &["score", "churn", "--why", &prospect[0]],
            "it is not in the base, which is who meets `cadence.days_since_last < 240`",
        ),
        (&["score", "alive", "--why", "C1"], "--why says what adds up to a score of churn; name that one"),
        (
            &["--as-of", "2020-01-01", "score", "churn", "--why", &prospect[0]],
            "the score churn was not computed by 2020-01-01",
        ),
    ] {
        let said = call(dir, arguments).ended_with(1).stderr;
        assert!(said.contains(expected), "{said}");
    }
}
