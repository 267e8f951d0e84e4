//! The binary in a workspace: arguments go in; exit code, stdout and stderr come out.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// How a run of the binary ended, and what it said.
#[derive(Debug)]
pub struct Run {
    /// The exit code.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said beside that.
    pub stderr: String,
}

/// The binary, not started yet; its surroundings do not change how much it says.
pub fn muster() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.env_remove("MUSTER_LOG").stdin(Stdio::null());
    command
}

/// The binary in the workspace `dir`, not started yet.
pub fn muster_in(dir: &Path) -> Command {
    let mut command = muster();
    command.arg("--dir").arg(dir);
    command
}

/// Runs `command` to its end.
pub fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().expect("the process ended by itself");
    Run { code, stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Run {
    /// What it printed, after it ended with `code`.
    #[track_caller]
    pub fn ended_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The JSON document that it printed, and nothing else.
    #[track_caller]
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in:\n{}", self.stdout))
    }
}

/// What `muster --dir DIR ARGUMENTS` does.
#[track_caller]
pub fn call(dir: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
    run(muster_in(dir).args(arguments))
}

/// What it prints when everything was done.
#[track_caller]
pub fn done(dir: &Path, arguments: &[&str]) -> String {
    call(dir, arguments).ended_with(0).stdout
}

/// The document that `--json` makes of it when everything was done.
#[track_caller]
pub fn json(dir: &Path, arguments: &[&str]) -> Value {
    call(dir, ["--json"].iter().chain(arguments)).ended_with(0).document()
}

/// The rows of a query as CSV, without the header.
#[track_caller]
pub fn rows(dir: &Path, query: &str) -> Vec<String> {
    let csv = done(dir, &["sql", "--format", "csv", "-c", query]);
    csv.lines().skip(1).map(str::to_owned).collect()
}

/// The binary with `text` on its standard input.
#[track_caller]
pub fn with_stdin(command: &mut Command, text: &str) -> Run {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
