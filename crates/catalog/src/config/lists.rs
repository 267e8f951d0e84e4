//! `[lists.NAME]`: lists of profile keys.

use super::fitting::name_fault;
use super::section::{Keys, Section};
use crate::List;

const KEYS: Keys = Keys { known: &["source", "key"], later: &[] };

pub(super) fn read(section: &Section) -> Vec<List> {
    section.keys().into_iter().filter_map(|name| section.section(name)).map(|list| one(&list)).collect()
}

fn one(section: &Section) -> List {
    section.only(&KEYS);
    if let Some(fault) = name_fault(section.name(), "list") {
        section.problem(fault);
    }
    List { name: section.name().to_owned(), source: section.required_word("source"), key: section.required_word("key") }
}
