//! Sets: several texts in one field. Equal sets become equal lists: members are sorted, each stands once.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringViewBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, ListArray, StringViewArray};
use arrow_schema::{DataType, Field};

use super::ValueFault;

/// The sets in texts; members are what stands between separators, blanks around them aside.
pub(super) fn read(texts: &StringViewArray, separator: char) -> (ArrayRef, Vec<ValueFault>) {
    let mut sets = builder();
    for text in texts {
        append(&mut sets, text.map(|text| text.split(separator).map(str::trim).collect()));
    }
    (Arc::new(sets.finish()), Vec::new())
}

/// The sets in lists of texts.
pub(super) fn from_lists(lists: &ListArray) -> ListArray {
    let mut sets = builder();
    for list in lists.iter() {
        let members = list.as_ref().map(|list| list.as_string_view().iter().flatten().map(str::trim).collect());
        append(&mut sets, members);
    }
    sets.finish()
}

fn builder() -> ListBuilder<StringViewBuilder> {
    ListBuilder::new(StringViewBuilder::new()).with_field(Field::new_list_field(DataType::Utf8View, false))
}

fn append(sets: &mut ListBuilder<StringViewBuilder>, members: Option<Vec<&str>>) {
    let present = members.is_some();
    let mut members = members.unwrap_or_default();
    members.retain(|member| !member.is_empty());
    members.sort_unstable();
    members.dedup();
    members.iter().for_each(|member| sets.values().append_value(member));
    sets.append(present);
}

#[cfg(test)]
mod tests {
    use muster_catalog::{Column, ColumnType};

    use super::super::tests::check;

    #[test]
    fn a_set_has_no_order_and_no_doubles() {
        let cases = [("b; a;b", "[a, b]"), ("a", "[a]"), ("", "[]"), (";;", "[]")];
        check(&Column::typed("tags", ColumnType::Set), &cases);
    }

    #[test]
    fn the_separator_is_declared() {
        check(&Column { separator: '|', ..Column::typed("tags", ColumnType::Set) }, &[("b|a;c", "[a;c, b]")]);
    }
}
