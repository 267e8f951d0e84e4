//! Keys of several columns become one text.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray};

/// One text for the parts of a key, from which each part can be told: `|` stands between them, and a `|` or `\` inside
/// of one has a `\` before it. `NL` and `1012` are `NL|1012`.
pub fn combined_key<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let escaped = |part: &str| part.replace('\\', "\\\\").replace('|', "\\|");
    parts.into_iter().map(escaped).collect::<Vec<_>>().join("|")
}

/// The combined key of each row; none where a part has no value.
pub(crate) fn combined(parts: &[ArrayRef], rows: usize) -> ArrayRef {
    let parts: Vec<&StringViewArray> = parts.iter().map(|part| part.as_string_view()).collect();
    let mut keys = StringViewBuilder::with_capacity(rows);
    for row in 0..rows {
        let values: Option<Vec<&str>> = parts.iter().map(|part| value(part, row)).collect();
        keys.append_option(values.map(combined_key));
    }
    Arc::new(keys.finish())
}

fn value(part: &StringViewArray, row: usize) -> Option<&str> {
    part.is_valid(row).then(|| part.value(row))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_stand_between_bars() {
        assert_eq!(combined_key(["NL", "1012"]), "NL|1012");
        assert_eq!(combined_key(["a|b", "c\\"]), "a\\|b|c\\\\");
    }

    proptest! {
        #[test]
        fn two_keys_are_the_same_only_if_all_their_parts_are(
            one in proptest::collection::vec("[a|\\\\]{0,3}", 2),
            other in proptest::collection::vec("[a|\\\\]{0,3}", 2),
        ) {
            let key = |parts: &[String]| combined_key(parts.iter().map(String::as_str));
            prop_assert_eq!(key(&one) == key(&other), one == other);
        }
    }
}
