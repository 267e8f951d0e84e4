//! The text of a campaign, strictly: every mistake with its place, what was expected, and the nearest spelling.

use muster_campaign::Definition;
use muster_campaign::definition::{Control, KnownChannel, Next, Objective, Purpose, Surroundings};

const WHOLE: &str = r#"objective = "nurture"
purpose = "marketing"
priority = 5
enter = { segment = "lapsed" }
control = { share = 0.1, seed = "cart" }

[[steps]]
id = "remind"
send = { email = "cart/still_in_cart", topic = "offers" }

[[steps]]
id = "second"
send = { console = "cart/time" }
then = "end"
"#;

fn parse(text: &str) -> Result<Definition, String> {
    Definition::parse("campaigns/cart.toml", "cart", text).map_err(|problems| problems.to_string())
}

/// `message` without the file's name, which is the same everywhere.
fn check(text: &str, message: &str) {
    let refused = parse(text).expect_err(text).replace("campaigns/cart.toml ", "");
    assert_eq!(refused, message, "\n{text}");
}

/// The whole text with one line replaced.
fn with(line: &str, replacement: &str) -> String {
    assert!(WHOLE.contains(line), "{line}");
    WHOLE.replacen(line, replacement, 1)
}

#[test]
fn a_campaign_reads_as_it_is_written() {
    let cart = parse(WHOLE).unwrap();
    assert_eq!((cart.name.as_str(), cart.priority), ("cart", 5));
    assert_eq!((cart.objective, cart.purpose), (Objective::Nurture, Purpose::Marketing));
    assert_eq!(cart.segment.name, "lapsed");
    assert_eq!(cart.control, Some(Control { share: 0.1, seed: "cart".to_owned() }));
    let steps: Vec<_> = cart
        .steps
        .iter()
        .map(|step| {
            (&*step.id, &*step.send.channel.name, &*step.send.template.name, step.send.topic.as_deref(), step.then)
        })
        .collect();
    assert_eq!(
        steps,
        [
            ("remind", "email", "cart/still_in_cart", Some("offers"), Next::Step(1)),
            ("second", "console", "cart/time", None, Next::End)
        ]
    );
}

#[test]
fn what_a_text_leaves_out_is_the_least() {
    let text = with("priority = 5\n", "").replace(", seed = \"cart\"", "").replace("then = \"end\"\n", "");
    let cart = parse(&text).unwrap();
    assert_eq!(cart.priority, 0);
    assert_eq!(cart.control.map(|control| control.seed), Some("cart".to_owned()));
    assert_eq!(cart.steps[1].then, Next::End);
}

#[test]
fn unknown_keys_come_with_their_place_and_the_nearest_spelling() {
    check(
        &with("purpose", "purpos"),
        "line 1, column 1: `purpose` is missing in the file; expected one of marketing, service\n\
         line 2, column 1: unknown key `purpos` in the file\n  hint: did you mean `purpose`?",
    );
    check(
        &with("priority = 5", "colour = 5"),
        "line 3, column 1: unknown key `colour` in the file\n  \
         hint: known keys: objective, purpose, priority, enter, control, steps",
    );
    check(
        &with("{ segment", "{ segmnt = 1, segment"),
        "line 4, column 11: unknown key `segmnt` in `enter` of the file\n  hint: did you mean `segment`?",
    );
    check(&with("then", "than"), "line 14, column 1: unknown key `than` in step 2\n  hint: did you mean `then`?");
}

#[test]
fn keys_that_nothing_acts_on_yet_are_refused_and_never_ignored() {
    check(&with("priority = 5", "exit = \"x\""), "line 3, column 1: `exit` in the file is not supported yet");
    check(
        &with("enter = {", "enter = { once_per = \"cart.cart_id\","),
        "line 4, column 11: `once_per` in `enter` of the file is not supported yet",
    );
    check(
        &with("send = { console = \"cart/time\" }", "wait = \"3 days\""),
        "line 13, column 1: `wait` in step 2 is not supported yet",
    );
    check(
        &with("console = \"cart/time\"", "sms = \"cart/time\""),
        "line 13, column 10: `sms` in `send` of step 2 is not supported yet",
    );
    check(
        &with("console =", "offer = \"x\", console ="),
        "line 13, column 10: `offer` in `send` of step 2 is not supported yet",
    );
}

#[test]
fn missing_parts_are_named() {
    check(
        "",
        "line 1, column 1: `objective` is missing in the file; expected one of acquire, protect, nurture, retain\n\
         line 1, column 1: `purpose` is missing in the file; expected one of marketing, service\n\
         line 1, column 1: `enter` is missing in the file; it says who enters, as enter = { segment = \"lapsed\" }\n\
         line 1, column 1: `steps` is missing in the file; expected at least one [[steps]] with `id` and `send`",
    );
    check(&with("segment = \"lapsed\"", ""), "line 4, column 1: `segment` is missing in `enter` of the file");
    check(&with("share = 0.1, ", ""), "line 5, column 1: `share` is missing in `control` of the file");
    check(&with("id = \"remind\"\n", ""), "line 7, column 1: `id` is missing in step 1");
    check(
        &with("send = { console = \"cart/time\" }\n", ""),
        "line 11, column 1: `send` is missing in step 2; expected a table, as { email = \"cart/still_in_cart\" }",
    );
    check(
        &with("console = \"cart/time\"", ""),
        "line 13, column 1: `send` of step 2 names no channel; expected one, as { email = \"cart/still_in_cart\" }",
    );
}

#[test]
fn values_of_another_kind_say_what_was_expected() {
    check(
        &with("\"nurture\"", "\"nurtur\""),
        "line 1, column 13: `objective` in the file is \"nurtur\"; expected one of acquire, protect, nurture, retain\n  \
         hint: did you mean \"nurture\"?",
    );
    check(
        &with("priority = 5", "priority = \"high\""),
        "line 3, column 12: `priority` in the file must be a whole number",
    );
    check(
        &with("{ segment = \"lapsed\" }", "\"lapsed\""),
        "line 4, column 9: `enter` in the file must be a table, as { segment = \"lapsed\" }",
    );
    for share in ["0.0", "1.0", "1.5", "-0.1", "nan", "1", "\"10 %\""] {
        check(
            &with("share = 0.1", &format!("share = {share}")),
            "line 5, column 21: `share` in `control` of the file must be a share above 0 and below 1, as 0.1",
        );
    }
    check(
        "objective = \"retain\"\npurpose = \"service\"\nenter = { segment = \"lapsed\" }\nsteps = 3\n",
        "line 4, column 9: `steps` in the file must be tables, each written under [[steps]]",
    );
}

#[test]
fn a_text_that_is_no_toml_says_where() {
    let refused = parse(&with("purpose = \"marketing\"", "purpose = marketing")).unwrap_err();
    assert!(refused.starts_with("campaigns/cart.toml line 2, column 11: "), "{refused}");
    check(&with("priority = 5", "purpose = \"service\""), "line 3, column 1: duplicate key");
}

#[test]
fn a_step_has_an_id_of_its_own_and_one_channel() {
    check(
        &with("\"second\"", "\"remind\""),
        "line 12, column 6: \"remind\" is already the id of step 1; each step has its own",
    );
    for id in ["end", "Remind", "1st", "", "a b"] {
        check(
            &with("id = \"second\"", &format!("id = \"{id}\"")),
            &format!(
                "line 12, column 6: \"{id}\" cannot be a step's id; expected 1 to 64 small letters, digits, _ and -, a letter first, and not \"end\""
            ),
        );
    }
    check(
        &with("console =", "email = \"a\", console ="),
        "line 13, column 23: `send` of step 2 names two channels, `email` and `console`; a step sends over one",
    );
}

#[test]
fn steps_lead_forward_and_everywhere() {
    check(
        &with("then = \"end\"", "then = \"secnd\""),
        "line 14, column 8: no step has the id \"secnd\"; expected one, or \"end\"\n  hint: did you mean \"second\"?",
    );
    check(
        &with("then = \"end\"", "then = \"remind\""),
        "line 14, column 1: step \"second\" leads back to \"remind\"; a journey comes to each step at most once",
    );
    check(
        &with("topic = \"offers\" }", "topic = \"offers\" }\nthen = \"end\""),
        "line 12, column 1: no journey comes to step \"second\"; no `then` leads there",
    );
}

#[test]
fn a_file_is_named_like_a_campaign() {
    let refused = Definition::parse("campaigns/My Cart.toml", "My Cart", WHOLE).unwrap_err().to_string();
    assert_eq!(
        refused,
        "campaigns/My Cart.toml line 1, column 1: a campaign's file cannot be called \"My Cart\"; expected 1 to 64 small letters, digits, _ and -, a letter first"
    );
}

const EMAIL: KnownChannel<'_> = KnownChannel { name: "email", role: "email", has_consent: true };
const CONSOLE: KnownChannel<'_> = KnownChannel { name: "console", role: "email", has_consent: true };

fn around<'a>(channels: &[KnownChannel<'a>]) -> Surroundings<'a> {
    Surroundings {
        segments: vec!["lapsed", "new"],
        channels: channels.to_vec(),
        templates: vec!["cart/still_in_cart", "cart/time"],
    }
}

fn problems(text: &str, channels: &[KnownChannel<'_>]) -> Vec<String> {
    let found = parse(text).unwrap().check(&around(channels));
    found.into_iter().map(|problem| problem.to_string().replace("campaigns/cart.toml ", "")).collect()
}

#[test]
fn a_campaign_that_names_what_exists_is_all_right() {
    assert_eq!(problems(WHOLE, &[EMAIL, CONSOLE]), Vec::<String>::new());
}

#[test]
fn what_the_workspace_lacks_is_named_with_the_nearest_that_it_has() {
    let text = with("\"lapsed\"", "\"lapsd\"").replace("cart/time", "birthday");
    assert_eq!(
        problems(&text, &[EMAIL]),
        [
            "line 4, column 21: there is no segment \"lapsd\"\n  hint: did you mean \"lapsed\"?",
            "line 13, column 10: there is no channel \"console\"\n  hint: channels: email",
            "line 13, column 20: there is no template \"birthday\"\n  hint: templates: cart/still_in_cart, cart/time",
        ]
    );
}

#[test]
fn marketing_needs_a_channel_with_consent_and_service_does_not() {
    let silent = KnownChannel { has_consent: false, ..EMAIL };
    let needs = "line 9, column 10: marketing over \"email\" needs consent, and no column of profiles has the role consent.email\n  \
                 hint: give the column that says who agreed role = \"consent.email\" in muster.toml";
    assert_eq!(problems(WHOLE, &[silent, CONSOLE]), [needs]);
    assert_eq!(problems(&with("\"marketing\"", "\"service\""), &[silent, CONSOLE]), Vec::<String>::new());
}
