//! What a campaign's messages say.

use std::fs;

use crate::binary::done;
use crate::world::workspace_of;

const SHOP: &str = r#"
[workspace]
name = "few"
time_zone = "Europe/Amsterdam"
as_of = "2025-06-30"

[tables.profiles]
source = "files/customers*.csv"
key = "id"
updated_at = "changed"

[tables.profiles.columns]
id = { type = "id" }
changed = { type = "timestamp" }
name = { type = "text" }
email = { type = "text", role = "email" }

[channels.console]
kind = "console"
"#;

const HELLO: &str = r#"
objective = "retain"
purpose = "service"
enter = { segment = "everyone" }

[[steps]]
id = "say"
send = { console = "hello" }
then = "end"
"#;

#[test]
fn a_message_says_what_a_field_was_at_the_instant_that_stands_for_the_present() {
    let shop = workspace_of(&[
        ("muster.toml", SHOP),
        ("files/customers.csv", "id,changed,name,email\n1,2025-01-01T00:00:00,Ann,ann@shop.example\n"),
        ("queries/everyone.sql", "CREATE OR REPLACE SEGMENT everyone AS WHERE TRUE;\n"),
        ("campaigns/hello.toml", HELLO),
        ("templates/hello.nl.html", "---\nsubject: hello {{ profile.name }}\n---\n<p>Dear {{ profile.name }}</p>\n"),
        ("templates/hello.nl.txt", "Dear {{ profile.name }}\n"),
    ]);
    done(shop.path(), &["load"]);
    let later = "id,changed,name,email\n1,2025-07-05T00:00:00,Beth,beth@shop.example\n";
    fs::write(shop.path().join("files/customers_2.csv"), later).unwrap();
    done(shop.path(), &["load"]);
    done(shop.path(), &["apply"]);
    done(shop.path(), &["campaign", "publish", "hello"]);
    let said = done(shop.path(), &["campaign", "run-due"]);
    assert!(said.contains("to ann@shop.example: hello Ann\n    Dear Ann\n") && !said.contains("Beth"), "{said}");
}
