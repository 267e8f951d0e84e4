//! `is_double` and `is_first_of`: whether another profile has the same value, and which of those has the lowest key.

use std::sync::Arc;

use muster_catalog::{ColumnType, Kind, TableNames};
use sqlparser::ast::{
    BinaryOperator, Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, Spanned,
    TableWithJoins,
};
use sqlparser::tokenizer::Span;

use super::Resolver;
use super::call::misplaced;
use super::operator::truth;
use super::reach::{Reach, insert_column};
use super::scope::{Source, Typed};
use crate::error::ErrorKind;
use crate::resolved::{Aside, Body, GrainQuery, hidden};
use crate::source::Fault;
use crate::sql;

const VALUE: &str = "value";
const KEY: &str = "key";
const DOUBLE: &str = "is_double";
const FIRST: &str = "is_first_of";

impl<'a> Resolver<'a> {
    /// `is_double(x)` and `is_first_of(x)`; NULL where the profile has no value.
    pub(super) fn alike(&mut self, function: &str, arguments: &[&Expr], span: Span) -> Option<Result<Typed, Fault>> {
        let column = [DOUBLE, FIRST].into_iter().find(|column| *column == function)?;
        Some(match arguments {
            [argument] => self.among_profiles(column, argument, span),
            others => {
                let message = format!("`{function}` takes one value of a profile, and {} are given", others.len());
                Err(Fault::new(ErrorKind::NotAllowed, span, message).hint(format!("{function}(profiles.…)")))
            }
        })
    }

    fn among_profiles(&mut self, column: &'static str, argument: &Expr, span: Span) -> Result<Typed, Fault> {
        let names = self.names;
        let Some(root) = names.tables.iter().find(|table| table.kind == Kind::Root) else {
            return Err(Fault::new(ErrorKind::UnknownName, span, "there are no profiles"));
        };
        let name = self.comparison(root, column, argument, span)?;
        self.tables_used.insert(root.name.clone());
        self.scope().note_loose(span, format!("{column}({argument})"), false);
        Ok(truth(sql::column(&name, column)))
    }

    /// The table that compares the profiles by this value, made if these rows have none.
    fn comparison(&mut self, root: &'a TableNames, column: &str, argument: &Expr, span: Span) -> Result<String, Fault> {
        let written = argument.to_string();
        if let Source::Rows(reach) = &self.scope().source
            && let Some(known) = reach.compared.get(&written)
        {
            return Ok(known.clone());
        }
        let values = self.values_of_profiles(root, column, argument, span)?;
        let name = self.compare(root, values, span)?;
        self.rows_around(span)?.compared.insert(written, name.clone());
        Ok(name)
    }

    /// `__row`, key and value of every profile that is there.
    fn values_of_profiles(
        &mut self,
        root: &'a TableNames,
        column: &str,
        argument: &Expr,
        span: Span,
    ) -> Result<Query, Fault> {
        let alias = match &self.scope().source {
            Source::Rows(reach) => name_of_profile(reach),
            Source::Tables(_) => {
                let message = format!("`{column}` needs one profile for each row");
                let hint = format!("use it FROM {} or a history, alone; then join that as a CTE", root.name);
                return Err(misplaced(span, message).hint(hint));
            }
        };
        let alias = alias.filter(|alias| *alias != root.name).map(|alias| sql::alias(&alias));
        let profiles = TableWithJoins { relation: sql::table(&root.name, alias), joins: Vec::new() };
        let written = sql::select_query(sql::select(vec![sql::aliased(argument.clone(), VALUE)], vec![profiles], None));
        let (body, columns) = self.alone(|alone| alone.query(&written))?;
        let Body::Grain(grain) = body else { unreachable!("FROM is the root alone") };
        if grain.grouped || columns.iter().any(|column| column.holds == Some(ColumnType::Set)) {
            let message = format!("`{column}` compares one value of each profile, and `{argument}` is none");
            return Err(misplaced(argument.span(), message));
        }
        Ok(self.part(Arc::new(with_row_and_key(Arc::unwrap_or_clone(grain), root))))
    }

    /// Makes the table that says of each profile whether its value is another's too; its name.
    fn compare(&mut self, root: &'a TableNames, values: Query, span: Span) -> Result<String, Fault> {
        let (alias, row) = self.rows_around(span)?.key_of(root);
        let name = self.unique_name("alike");
        let found = sql::binary(sql::column(&alias, &row), BinaryOperator::Eq, sql::column(&name, hidden::ROW));
        let all = format!("{name}_values");
        let ctes = vec![sql::cte(&all, values), sql::cte(&name, compared(&all))];
        self.add_aside(Aside { name: name.clone(), ctes, found: Some(found) }, span)?;
        Ok(name)
    }
}

/// What the query calls the profile of these rows, where it stands among them.
fn name_of_profile(reach: &Reach<'_>) -> Option<String> {
    if reach.base.kind == Kind::Root {
        return Some(reach.alias().to_owned());
    }
    let framed = reach.frames.iter().find(|frame| frame.table.kind == Kind::Root && frame.beside.is_none());
    framed.map(|frame| frame.called.clone())
}

fn with_row_and_key(mut grain: GrainQuery, root: &TableNames) -> GrainQuery {
    let profiles = &mut grain.rows.relations[0];
    let key = root.key.clone().unwrap_or_else(|| hidden::ROW.to_owned());
    insert_column(&mut profiles.columns, root, hidden::ROW);
    insert_column(&mut profiles.columns, root, &key);
    let own = |column: &str, alias: &str| sql::aliased(sql::column(&profiles.alias, column), alias);
    if let SetExpr::Select(select) = grain.rest.body.as_mut() {
        select.projection.splice(0..0, [own(hidden::ROW, hidden::ROW), own(&key, KEY)]);
    }
    grain
}

/// Of each profile with a value whether another has it too, and whether its key is the lowest of those.
fn compared(all: &str) -> Query {
    let (each, same) = ("each", "same");
    let several = sql::binary(sql::column(same, "profiles"), BinaryOperator::Gt, sql::number(1));
    let lowest = sql::binary(sql::column(each, KEY), BinaryOperator::Eq, sql::column(same, "lowest"));
    let shown = vec![
        sql::aliased(sql::column(each, hidden::ROW), hidden::ROW),
        sql::aliased(several, DOUBLE),
        sql::aliased(lowest, FIRST),
    ];
    let equal = sql::binary(sql::column(each, VALUE), BinaryOperator::Eq, sql::column(same, VALUE));
    let joined = Join {
        relation: sql::derived(grouped(all), sql::alias(same)),
        global: false,
        join_operator: JoinOperator::Join(JoinConstraint::On(equal)),
    };
    let from = TableWithJoins { relation: sql::table(all, Some(sql::alias(each))), joins: vec![joined] };
    sql::select_query(sql::select(shown, vec![from], None))
}

/// How many profiles have a value, and the lowest of their keys.
fn grouped(all: &str) -> Query {
    let bare = |column: &str| Expr::Identifier(sql::name(column));
    let shown: Vec<SelectItem> = vec![
        sql::aliased(bare(VALUE), VALUE),
        sql::aliased(sql::count_rows(), "profiles"),
        sql::aliased(sql::call("min", [bare(KEY)]), "lowest"),
    ];
    let from = TableWithJoins { relation: sql::table(all, None), joins: Vec::new() };
    let group_by = GroupByExpr::Expressions(vec![bare(VALUE)], Vec::new());
    sql::select_query(Select { group_by, ..sql::select(shown, vec![from], None) })
}
