//! Progress on stderr: a bar where a person looks on, nothing where nobody does.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over `total` bytes of `what`.
pub fn bytes(what: &str, total: u64) -> ProgressBar {
    bar(what, total, "{msg:<16} [{bar:32}] {bytes}/{total_bytes}")
}

/// A bar over `total` things of `what`.
pub fn count(what: &str, total: u64) -> ProgressBar {
    bar(what, total, "{msg:<16} [{bar:32}] {human_pos}/{human_len}")
}

fn bar(what: &str, total: u64, template: &str) -> ProgressBar {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), target).with_style(style).with_message(what.to_owned())
}
