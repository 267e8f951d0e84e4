//! Keys of the design that nothing acts on yet are refused by name: ignored, they would lie.

use crate::world::check_whole;

const HEAD: &str = "[workspace]\nname = \"shop\"\n";
const ROOT: &str = "[tables.profiles]\nsource = \"customers.csv\"\nkey = \"id\"\n";

#[track_caller]
fn check_later(text: &str, line: usize, column: usize, what: &str) {
    let expected = format!("muster.toml line {line}, column {column}: {what} is not supported yet");
    check_whole(text, &expected);
}

#[test]
fn sections_of_a_later_version() {
    for section in ["test", "offers", "sites", "limits"] {
        check_later(&format!("{HEAD}{ROOT}[{section}]\nx = 1\n"), 6, 2, &format!("`{section}` in the file"));
    }
}

#[test]
fn keys_of_the_workspace() {
    for key in ["languages", "address"] {
        check_later(&format!("{HEAD}{key} = \"x\"\n{ROOT}"), 3, 1, &format!("`{key}` in [workspace]"));
    }
}

#[test]
fn keys_of_a_table() {
    for key in ["role", "retention"] {
        check_later(&format!("{HEAD}{ROOT}{key} = \"x\"\n"), 6, 1, &format!("`{key}` in [tables.profiles]"));
    }
}

#[test]
fn keys_and_kinds_of_channels() {
    for key in ["dkim", "return_path", "rate", "quiet_hours", "limits"] {
        let channel = format!("[channels.email]\nkind = \"smtp\"\nhost = \"h\"\nfrom = \"a@b.example\"\n{key} = 1\n");
        check_later(&format!("{HEAD}{ROOT}{channel}"), 10, 1, &format!("`{key}` in [channels.email]"));
    }
    for kind in ["sms", "push", "webhook", "file", "pdf"] {
        let channel = format!("[channels.out]\nkind = \"{kind}\"\nurl = \"x\"\n");
        check_later(&format!("{HEAD}{ROOT}{channel}"), 7, 1, "this `kind` in [channels.out]");
    }
}
