//! True and false, in whatever words a file has for them.

use std::sync::Arc;

use arrow_array::builder::BooleanBuilder;
use arrow_array::{Array, ArrayRef, StringViewArray};
use muster_catalog::{Column, ColumnType};

use super::{ValueFault, not_a};

const TRUE: [&str; 5] = ["true", "t", "yes", "y", "1"];
const FALSE: [&str; 5] = ["false", "f", "no", "n", "0"];

/// Which words mean which.
pub(super) struct Words {
    truthy: Vec<String>,
    falsy: Vec<String>,
}

impl Words {
    pub fn of(column: &Column) -> Self {
        Self { truthy: column.truthy.clone(), falsy: column.falsy.clone() }
    }

    pub fn read(&self, texts: &StringViewArray) -> (ArrayRef, Vec<ValueFault>) {
        let mut faults = Vec::new();
        let mut values = BooleanBuilder::with_capacity(texts.len());
        for (row, text) in texts.iter().enumerate() {
            let value = text.map(|text| self.meaning(text.trim()));
            if value == Some(None) {
                faults.push(ValueFault::of(row, text, not_a(ColumnType::Bool, self.expected())));
            }
            values.append_option(value.flatten());
        }
        (Arc::new(values.finish()), faults)
    }

    /// What a word means; `None` if nothing. Declared words are exact, the common ones are not about capitals.
    fn meaning(&self, text: &str) -> Option<bool> {
        let declared = |words: &[String]| words.iter().any(|word| word == text);
        let common = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        let is_true = if self.truthy.is_empty() { common(&TRUE) } else { declared(&self.truthy) };
        let is_false = match (self.truthy.is_empty(), self.falsy.is_empty()) {
            (true, true) => common(&FALSE),
            (false, true) => !is_true,
            (_, false) => declared(&self.falsy),
        };
        (is_true || is_false).then_some(!is_false)
    }

    fn expected(&self) -> String {
        let or = |words: &[String], common: &str| if words.is_empty() { common.to_owned() } else { words.join(", ") };
        format!("{} for true, {} for false", or(&self.truthy, &TRUE.join(", ")), or(&self.falsy, &FALSE.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::check;
    use super::*;

    #[test]
    fn common_words_mean_what_they_say() {
        let cases = [
            ("true", "true"),
            ("Y", "true"),
            ("1", "true"),
            ("No", "false"),
            ("0", "false"),
            ("J", "!not true or false"),
        ];
        check(&Column::typed("b", ColumnType::Bool), &cases);
    }

    #[test]
    fn beside_words_for_true_everything_else_is_false() {
        let column = Column { truthy: vec!["J".into(), "1".into()], ..Column::typed("b", ColumnType::Bool) };
        check(&column, &[("J", "true"), ("1", "true"), ("j", "false"), ("true", "false")]);
    }

    #[test]
    fn words_for_both_leave_nothing_else() {
        let column =
            Column { truthy: vec!["J".into()], falsy: vec!["N".into()], ..Column::typed("b", ColumnType::Bool) };
        check(&column, &[("J", "true"), ("N", "false"), ("?", "!not true or false")]);
    }
}
