//! A person confirms what the guesser did not dare to take.

use super::{Doubt, Guess, Said, TableGuess};

impl Guess {
    /// Asks about every guess that is not sure enough to be taken; those that `ask` confirms are taken.
    pub fn confirm(&mut self, ask: &mut dyn FnMut(&Doubt) -> bool) {
        for table in &mut self.tables {
            confirm_table(table, ask);
        }
    }
}

fn confirm_table(table: &mut TableGuess, ask: &mut dyn FnMut(&Doubt) -> bool) {
    let name = table.name.clone();
    let mut settle = |column: Option<&str>, what: String, sure: &mut f64, why: &str| {
        let doubt = Doubt { table: name.clone(), column: column.map(str::to_owned), text: format!("{what}: {why}") };
        if ask(&doubt) {
            *sure = 1.0;
        }
    };
    if let Some(Said { value, why, sure }) = table.key.as_mut().filter(|said| !said.is_taken()) {
        settle(None, format!("the key is {}", value.join(" and ")), sure, why);
    }
    for (said, what) in [(&mut table.time, "the time"), (&mut table.updated_at, "the time of the last change")] {
        if let Some(Said { value, why, sure }) = said.as_mut().filter(|said| !said.is_taken()) {
            settle(Some(value), what.to_owned(), sure, why);
        }
    }
    for column in &mut table.columns {
        let name = column.name.clone();
        let Said { value, why, sure } = &mut column.column_type;
        if *sure < super::TAKEN_FROM {
            settle(Some(&name), format!("type {value}"), sure, why);
        }
        if let Some(Said { value, why, sure }) = column.role.as_mut().filter(|said| !said.is_taken()) {
            settle(Some(&name), format!("role {value}"), sure, why);
        }
    }
}
