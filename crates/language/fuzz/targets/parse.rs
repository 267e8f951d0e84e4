//! Any text: it is cut into statements, each of which is read or refused.

#![no_main]

mod patience;

use libfuzzer_sys::fuzz_target;
use muster_language::{parse, parse_piece, split_statements};

fuzz_target!(|text: &str| patience::in_time(|| check(text)));

fn check(text: &str) {
    let pieces = split_statements(text);
    for piece in &pieces {
        let _any = parse_piece(piece);
    }
    if pieces.len() != 1 {
        assert!(parse(text).is_err());
    }
}
