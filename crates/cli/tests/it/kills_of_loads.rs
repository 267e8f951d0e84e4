//! A few loads are killed in the middle of their phases: the small form of `kill_loads.py`, which says what must hold.

use std::path::Path;
use std::process::Command;

const KILLS: &str = "6";

#[test]
fn a_load_that_is_killed_leaves_what_was_there_or_all_that_it_brought() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kill_loads.py");
    let mut python = Command::new("python3");
    python.arg(script).args(["--muster", env!("CARGO_BIN_EXE_muster")]);
    // How long reopening takes is measured where nothing else runs.
    let ended = python.args(["--kills", KILLS, "--profiles", "2000", "--reopening", "600"]).output();
    let ended = ended.expect("python3 is needed, as for the benches");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complained) = (text(&ended.stdout), text(&ended.stderr));
    assert!(ended.status.success(), "{said}{complained}");
    assert!(said.contains(&format!("{KILLS} kills at 2000 profiles")), "{said}");
    assert!(said.contains("nothing was lost, and nothing was half there"), "{said}");
}
