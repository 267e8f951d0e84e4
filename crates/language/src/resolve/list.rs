//! Lists of profile keys: `lists.staff` says whether the row's profile is on one, and FROM lists.staff has its keys.
//!
//! The past of a list is not kept: as of an earlier instant it is the one of today, as a lookup is.

use muster_catalog::{ColumnType, LISTS, TableNames};
use sqlparser::ast::{Ident, ObjectName};

use super::scope::{Typed, same_name};
use super::{Resolver, unknown};
use crate::resolved::hidden;
use crate::source::Fault;

impl<'a> Resolver<'a> {
    /// `lists.name`: whether the row's profile is on it; TRUE or FALSE, never NULL.
    pub(super) fn list(&mut self, name: &Ident) -> Result<Typed, Fault> {
        let names = self.names;
        let list = self.list_called(name).and_then(TableNames::list_name);
        let (Some(list), Some(root)) = (list, names.root()) else { return Err(unknown::list(names, name)) };
        self.lists_used.insert(list.to_owned());
        self.of_row(root, (&hidden::list(list), ColumnType::Bool), (name.span, format!("{LISTS}.{}", name.value)))
    }

    /// The list that a name of two parts means in FROM.
    pub(super) fn list_in_from(&self, name: &ObjectName) -> Option<&'a TableNames> {
        self.list_called(behind_lists(name)?)
    }

    fn list_called(&self, name: &Ident) -> Option<&'a TableNames> {
        let names = self.names;
        names.lists().find(|list| list.list_name().is_some_and(|own| same_name(name, own)))
    }
}

/// `lists.staff.customer_id`, a column of a list in FROM, with the list's name as one.
pub(super) fn list_as_one(parts: &[Ident]) -> Option<Vec<Ident>> {
    let [head, name, column] = parts else { return None };
    let own = if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() };
    let list = Ident { value: format!("{LISTS}.{own}"), quote_style: Some('"'), span: head.span };
    same_name(head, LISTS).then(|| vec![list, column.clone()])
}

/// `staff` of `lists.staff`.
pub(super) fn behind_lists(name: &ObjectName) -> Option<&Ident> {
    match name.0.as_slice() {
        [head, name] => name.as_ident().filter(|_| head.as_ident().is_some_and(|head| same_name(head, LISTS))),
        _ => None,
    }
}
