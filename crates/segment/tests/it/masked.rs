//! Whoever was not granted a class of columns: what a session of theirs shows, and what it refuses.

use muster_catalog::Class;
use muster_segment::{Classes, Grants, Outcome, Session};

use crate::world::{CATALOG, Shop, rows, run};

/// The shop's classes where e-mail addresses are personal by their role and keys too, for somebody who is granted these.
fn classes(granted: &[Class]) -> Classes {
    let catalog = CATALOG.replace("email = {", "id = { class = \"sensitive\" }\nemail = {");
    let classes = Classes::declared(&muster_catalog::parse("muster.toml", &catalog).unwrap());
    classes.granted(Grants::of(granted.iter().copied()))
}

fn session<'a>(shop: &'a Shop, granted: &[Class]) -> Session<'a> {
    Session::new(shop.bench(), None).unwrap().with_classes(classes(granted))
}

fn answer(session: &mut Session<'_>, text: &str) -> Vec<String> {
    match run(session, text) {
        Ok(Outcome::Answer(answer)) => rows(&answer)[1..].to_vec(),
        other => panic!("{text}: {other:?}"),
    }
}

fn error(session: &mut Session<'_>, text: &str) -> String {
    run(session, text).map(|outcome| panic!("{text}: {outcome:?}")).unwrap_err().to_string()
}

#[test]
fn columns_of_other_classes_are_null() {
    let shop = Shop::open();
    let emails = "SELECT email FROM profiles ORDER BY country, income";
    let mut analyst = session(&shop, &[Class::Internal]);
    assert_eq!(answer(&mut analyst, emails), ["-", "-", "-", "-"]);
    assert_eq!(answer(&mut analyst, "SELECT count(*) AS n FROM profiles WHERE country = 'NL'"), ["2"]);
    let mut owner = session(&shop, &[Class::Internal, Class::Personal, Class::Sensitive]);
    assert_eq!(answer(&mut owner, "SELECT count(email) AS n FROM profiles"), ["3"]);
    assert_eq!(answer(&mut session(&shop, &[]), "SELECT count(income) AS n FROM profiles"), ["0"]);
}

#[test]
fn what_holds_a_masked_key_is_masked_too() {
    let shop = Shop::open();
    let mut analyst = session(&shop, &[Class::Internal, Class::Personal]);
    assert_eq!(answer(&mut analyst, "SELECT count(id) AS n FROM profiles"), ["0"]);
    assert_eq!(answer(&mut analyst, "SELECT count(customer) AS n, count(order_id) AS m FROM orders"), ["0 | 4"]);
    // Histories are found all the same.
    assert_eq!(answer(&mut analyst, "SELECT count(*) AS n FROM profiles WHERE has(orders)"), ["3"]);
}

#[test]
fn a_segment_that_reads_a_masked_column_is_neither_made_nor_evaluated_nor_explained() {
    let shop = Shop::open();
    let mut owner = session(&shop, &[Class::Internal, Class::Personal, Class::Sensitive]);
    run(&mut owner, "CREATE SEGMENT reachable AS WHERE email IS NOT NULL AND country = 'NL'").unwrap();
    run(&mut owner, "CREATE SEGMENT dutch AS WHERE country = 'NL'").unwrap();
    let mut analyst = session(&shop, &[Class::Internal]);
    let refused =
        "`profiles.email` is personal, which this session may not see; grant personal with --grant, or leave it out";
    for text in [
        "CREATE SEGMENT probe AS WHERE email LIKE 'a%'",
        "SELECT count(*) AS n FROM profiles WHERE segments.reachable",
        "AS OF '2025-06-01' SELECT count(*) AS n FROM profiles WHERE segments.reachable",
        "EXPLAIN SEGMENT reachable",
        "REFRESH SEGMENT reachable",
        "CREATE SEGMENT nested AS WHERE segments.reachable",
    ] {
        assert_eq!(error(&mut analyst, text), refused, "{text}");
    }
    assert_eq!(answer(&mut analyst, "SELECT count(*) AS n FROM profiles WHERE segments.dutch"), ["2"]);
    run(&mut analyst, "CREATE SEGMENT belgian AS WHERE country = 'BE'").unwrap();
}

#[test]
fn describe_shows_what_was_granted() {
    let shop = Shop::open();
    let described = |granted: &[Class], column: &str| {
        answer(&mut session(&shop, granted), &format!("DESCRIBE profiles.{column}"))[0].clone()
    };
    assert!(described(&[Class::Internal], "country").contains("NL"));
    assert!(!described(&[], "country").contains("NL"));
    assert!(!described(&[Class::Internal], "email").contains("x.example"));
}
