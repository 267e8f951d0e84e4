//! What templates render, refuse and report.

use std::fs;

use muster_channel::{Error, Rendered, Templates};
use serde_json::{Value, json};

use crate::world::{context, of};

const HEAD: &str = "---\nsubject: s\n---\n";

/// `t.nl.txt` with this body, rendered for this profile.
fn text(body: &str, profile: Value) -> Result<String, Error> {
    let templates = of(&[("t.nl.txt", &format!("{HEAD}{body}"))]);
    templates.render("t", None, &context(profile)).map(|rendered| rendered.text)
}

fn problem(body: &str, profile: Value) -> String {
    text(body, profile).expect_err("this cannot be rendered").to_string()
}

fn refused(files: &[(&str, &str)]) -> String {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    Templates::from_texts(files).expect_err("these cannot be used").to_string()
}

#[test]
fn a_template_renders_its_head_its_text_and_its_html() {
    let txt =
        "---\nsubject: Dag {{ profile.name }} \npreheader: {{ profile.name }} & co\n---\nBeste {{ profile.name }}\n";
    let html = "<title>{{ subject }}</title><i>{{ preheader }}</i><p>{{ profile.name }}</p>\n";
    let templates = of(&[("cart/still.nl.txt", txt), ("cart/still.nl.html", html)]);
    let rendered = templates.render("cart/still", Some("nl"), &context(json!({ "name": "<Jan>" }))).unwrap();
    let expected = Rendered {
        subject: "Dag <Jan>".to_owned(),
        text: "Beste <Jan>".to_owned(),
        html: Some("<title>Dag &lt;Jan&gt;</title><i>&lt;Jan&gt; &amp; co</i><p>&lt;Jan&gt;</p>".to_owned()),
    };
    assert_eq!(rendered, expected);
}

#[test]
fn data_are_never_parsed_as_a_template() {
    let name = "{{ 7*7 }}{% for i in range(9) %}x{% endfor %}{# no #}";
    assert_eq!(text("Dag {{ profile.name }}", json!({ "name": name })).unwrap(), format!("Dag {name}"));
    let subject = of(&[("t.nl.txt", "---\nsubject: Dag {{ profile.name }}\n---\nx")]);
    assert_eq!(subject.render("t", None, &context(json!({ "name": name }))).unwrap().subject, format!("Dag {name}"));
}

#[test]
fn an_empty_field_is_an_error_unless_the_template_says_what_instead() {
    let empty = json!({ "first_name": null });
    assert_eq!(
        problem("Beste\n{{ profile.first_name }},", empty.clone()),
        "templates/t.nl.txt line 5, column 4: profile.first_name is empty\n  hint: write {{ profile.first_name | default(\"…\") }} if it may be empty"
    );
    assert!(problem("{{ 'Beste ' ~ profile.first_name }}", empty.clone()).contains("profile.first_name is empty"));
    assert!(problem("{{ profile.first_name | upper }}", empty.clone()).contains("profile.first_name is empty"));
    assert_eq!(text("{{ profile.first_name | default('klant') }}", empty.clone()).unwrap(), "klant");
    assert_eq!(text("{% if profile.first_name %}ja{% else %}nee{% endif %}", empty).unwrap(), "nee");
}

#[test]
fn an_unknown_name_is_an_error_with_the_nearest_spelling() {
    let profile = json!({ "first_name": "Jan" });
    assert_eq!(
        problem("{{ profile.frist_name }}", profile.clone()),
        "templates/t.nl.txt line 4, column 4: there is no profile.frist_name; a template sees profile, journey, campaign and links\n  hint: did you mean profile.first_name?"
    );
    assert!(problem("{{ profil.first_name }}", profile.clone()).contains("there is no profil;"));
    assert!(problem("{{ links.unsubscrib }}", profile).ends_with("hint: did you mean links.unsubscribe?"));
}

#[test]
fn values_print_as_people_write_them() {
    let profile =
        json!({ "points": 1200, "price": "12.50", "vip": true, "tags": ["a", "b"], "city": { "name": "Ede" } });
    let body = "{{ profile.points }} {{ profile.price }} {{ profile.tags | join('+') }} {{ profile.city.name }}{% if profile.vip %}!{% endif %}";
    assert_eq!(text(body, profile).unwrap(), "1200 12.50 a+b Ede!");
}

#[test]
fn a_line_with_only_a_tag_leaves_no_line() {
    let body = "A\n  {% if profile.vip %}\nB\n  {% endif %}\nC\n";
    assert_eq!(text(body, json!({ "vip": true })).unwrap(), "A\nB\nC");
}

#[test]
fn a_template_that_runs_away_is_stopped_and_not_the_recipient_skipped() {
    let check = |body: &str, message: &str| {
        let error = text(body, json!({})).expect_err("it never ends");
        assert!(matches!(error, Error::Runaway(_)), "{error:?}");
        assert!(error.to_string().contains(message), "{error}");
    };
    let endless = "{% for i in range(100000) %}{% for j in range(100000) %}{{ '' }}{% endfor %}{% endfor %}";
    check(endless, "templates/t.nl.txt line 4");
    check(endless, "takes more than 1000000 steps");
    let endlessly_long = format!("{{% for i in range(100000) %}}{}{{% endfor %}}", "x".repeat(100));
    check(&endlessly_long, "writes more than 1048576 octets");
}

#[test]
fn a_template_that_calls_itself_is_stopped() {
    let error = text("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", json!({})).unwrap_err();
    assert!(matches!(error, Error::Runaway(_)), "{error:?}");
    assert!(error.to_string().contains("goes deeper than 100 levels"), "{error}");
}

#[test]
fn nothing_is_loaded_that_was_not_read_up_front() {
    assert!(problem("{% include '/etc/passwd' %}", json!({})).contains("template not found"));
    assert!(problem("{{ debug() }}", json!({ "secret": "s" })).contains("unknown function: debug"));
    let files = [
        ("t.nl.txt", "---\nsubject: s\n---\n{% include 'parts/foot.nl.txt' %}"),
        ("parts/foot.nl.txt", "---\nsubject: s\n---\nGroet"),
    ];
    assert_eq!(of(&files).render("t", None, &context(json!({}))).unwrap().text, "Groet");
}

#[test]
fn a_problem_in_an_included_template_has_its_place_there() {
    let files = [
        ("t.nl.txt", "---\nsubject: s\n---\n{% include 'foot.nl.txt' %}"),
        ("foot.nl.txt", "---\nsubject: s\n---\nGroet\n{{ profile.shop }}"),
    ];
    let error = of(&files).render("t", None, &context(json!({ "shop": null }))).unwrap_err().to_string();
    assert!(error.starts_with("templates/foot.nl.txt line 5, column 4: profile.shop is empty"), "{error}");
}

#[test]
fn the_best_language_is_the_wanted_one_then_its_main_one_then_the_default() {
    let files = ["nl", "en", "nl-BE"].map(|language| (format!("t.{language}.txt"), format!("{HEAD}{language}")));
    let templates = Templates::from_texts(files.clone()).unwrap();
    let rendered =
        |templates: &Templates, language| templates.render("t", language, &context(json!({}))).map(|r| r.text);
    assert_eq!(rendered(&templates, Some("nl-BE")).unwrap(), "nl-BE");
    assert_eq!(rendered(&templates, Some("en-GB")).unwrap(), "en");
    let error = rendered(&templates, Some("de")).unwrap_err().to_string();
    assert_eq!(error, "template \"t\" is not written in de; it is in en, nl, nl-BE");
    assert!(matches!(rendered(&templates, None), Err(Error::NoLanguage(_))));
    let templates = templates.with_default_language("nl");
    assert_eq!(rendered(&templates, Some("de")).unwrap(), "nl");
    assert_eq!(rendered(&templates, None).unwrap(), "nl");
    let [only, ..] = files;
    assert_eq!(rendered(&Templates::from_texts([only]).unwrap(), Some("de")).unwrap(), "nl");
}

#[test]
fn every_problem_of_every_file_is_said_with_its_place() {
    let files = [
        ("a.nl.txt", "---\nsubject: {{ x\n---\nBeste"),
        ("b.nl.txt", "---\nsubjcet: s\n---\n"),
        ("c.nl.txt", "---\nsubject: s\n"),
        ("d.nl.txt", "---\nsubject: s\nno colon\n---\n"),
        ("e.nl.txt", "---\nsubject: s\nsubject: t\n---\n"),
        ("f.nl.txt", "---\nsubject: s\n---\nBeste\n{% if %}"),
        ("g.nl.html", "---\nsubject: s\n---\n<p>"),
        ("h.nl.html", "---\nsubject: h\n---\n<p>"),
        ("h.nl.txt", "---\nsubject: t\n---\nx"),
        ("i.nl.txt", "no head"),
        ("j.nl.mjml", "x"),
        ("k.nl.doc", "x"),
        ("notes.txt", "x"),
        ("Upper.nl.txt", "x"),
    ];
    let expected = [
        "templates/a.nl.txt line 2, column 13: syntax error: unexpected end of input, expected end of variable block",
        "templates/b.nl.txt line 2, column 1: unknown key \"subjcet\" in the head; expected subject or preheader\n  hint: did you mean \"subject\"?",
        "templates/c.nl.txt line 1, column 1: the head is not closed; expected a line --- after its entries",
        "templates/d.nl.txt line 3, column 1: expected \"key: value\" in the head",
        "templates/e.nl.txt line 3, column 1: subject is given twice",
        "templates/f.nl.txt line 5, column 7: syntax error: unexpected end of block",
        "templates/h.nl.txt line 2, column 10: subject is already given by templates/h.nl.html\n  hint: one of a template's two files carries the head",
        "templates/j.nl.mjml line 1, column 1: templates of the kind mjml are not supported yet",
        "templates/k.nl.doc line 1, column 1: \"doc\" is no kind of template; expected txt or html",
        "templates/notes.txt line 1, column 1: not the name of a template; expected NAME.LANGUAGE.txt or NAME.LANGUAGE.html\n  hint: for instance welcome.nl.html; names are of a-z, 0-9, _ and -, languages like nl or nl-BE",
        "templates/Upper.nl.txt line 1, column 1: not the name of a template; expected NAME.LANGUAGE.txt or NAME.LANGUAGE.html\n  hint: for instance welcome.nl.html; names are of a-z, 0-9, _ and -, languages like nl or nl-BE",
        "templates/g.nl.html line 1, column 1: has no g.nl.txt beside it\n  hint: every message carries a plain text for readers without HTML",
        "templates/i.nl.txt line 1, column 1: has no subject\n  hint: begin the file with a head: ---, subject: …, ---",
    ];
    assert_eq!(refused(&files), expected.join("\n"));
}

#[test]
fn line_ends_and_byte_order_marks_of_windows_change_nothing() {
    let templates = of(&[("t.nl.txt", "\u{feff}---\r\nsubject: s\r\n---\r\nA\r\nB\r\n")]);
    assert_eq!(templates.render("t", None, &context(json!({}))).unwrap().text, "A\nB");
}

#[test]
fn a_check_finds_names_that_do_not_exist_in_every_language_and_part() {
    let files = [
        ("t.en.txt", "---\nsubject: {{ profile.frist_name }}\n---\n{{ links.unsubscribe }} {{ journey.anything }}"),
        ("t.nl.txt", "---\nsubject: s\n---\n{% for line in profile.lines %}{{ line.name }}{% endfor %}{{ prfile.x }}"),
    ];
    let check = of(&files).check("t", &["first_name", "lines"]).unwrap();
    let problems: Vec<String> = check.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "templates/t.en.txt line 2, column 13: there is no profile.frist_name; a template sees profile, journey, campaign and links\n  hint: did you mean profile.first_name?",
            "templates/t.nl.txt line 4, column 62: there is no prfile.x; a template sees profile, journey, campaign and links",
        ]
    );
}

#[test]
fn a_check_shows_every_place_at_which_an_empty_field_skips_a_profile() {
    let body = "---\nsubject: {{ profile.first_name }}\n---\nBeste {{ profile.first_name }}\nuit {{ profile.city }}\n{{ profile.tier | default('-') }} {{ campaign.name }} {{ links.unsubscribe }}\n";
    let check = of(&[("t.nl.txt", body)]).check("t", &["first_name", "city", "tier"]).unwrap();
    assert_eq!(check.problems, []);
    let skips: Vec<String> =
        check.skips.iter().map(|skip| skip.to_string().lines().next().unwrap().to_owned()).collect();
    assert_eq!(
        skips,
        [
            "templates/t.nl.txt line 2, column 13: profile.first_name is empty",
            "templates/t.nl.txt line 5, column 8: profile.city is empty"
        ]
    );
}

#[test]
fn a_check_reports_a_template_that_runs_away() {
    let body =
        format!("{HEAD}{{% for i in range(100000) %}}{{% for j in range(100000) %}}{{% endfor %}}{{% endfor %}}");
    let check = of(&[("t.nl.txt", &body)]).check("t", &[]).unwrap();
    assert_eq!((check.problems.len(), check.skips.len()), (1, 0));
}

#[test]
fn whether_one_can_unsubscribe_is_seen_in_every_part() {
    let with = format!("{HEAD}{{{{ links.unsubscribe }}}}");
    let without = "<p>no way out</p>";
    assert!(of(&[("t.nl.txt", &with)]).can_unsubscribe("t").unwrap());
    assert!(!of(&[("t.nl.txt", &with), ("t.nl.html", without)]).can_unsubscribe("t").unwrap());
    assert!(matches!(of(&[]).can_unsubscribe("t"), Err(Error::NoTemplate { .. })));
}

#[test]
fn a_folder_is_read_with_its_folders_and_without_what_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("cart")).unwrap();
    for (path, text) in [("cart/still.nl.txt", HEAD), ("welcome.nl.txt", HEAD), (".swp", "x"), ("README.md", "x")] {
        fs::write(folder.path().join(path), text).unwrap();
    }
    let templates = Templates::read(folder.path()).unwrap();
    assert_eq!(templates.names().collect::<Vec<_>>(), ["cart/still", "welcome"]);
    assert_eq!(Templates::read(&folder.path().join("absent")).unwrap().names().count(), 0);
    fs::write(folder.path().join("latin.nl.txt"), b"caf\xe9").unwrap();
    assert!(
        matches!(Templates::read(folder.path()), Err(Error::Unreadable { path, .. }) if path.ends_with("latin.nl.txt"))
    );
}
