//! The FROM of a SELECT: one root or history table makes a grain, everything else is plain SQL.

use muster_catalog::TableNames;
use sqlparser::ast::{
    Ident, Join, JoinConstraint, JoinOperator, ObjectName, Spanned, TableAlias, TableFactor, TableWithJoins,
};

use super::list::behind_lists;
use super::reach::{Reach, visible_with_profile};
use super::scope::{Scope, Source, same_name};
use super::score::no_table;
use super::tables::{Table, Tables, quoted_alias, renamed, spelled};
use super::{Resolver, refuse, unknown};
use crate::error::ErrorKind;
use crate::functions::AFFINITY;
use crate::resolved::{OutputColumn, Reached, Relation, hidden};
use crate::source::Fault;
use crate::sql;

impl<'a> Resolver<'a> {
    /// The scope of a FROM that is one root or history table and nothing else.
    pub(super) fn grain(&mut self, from: &[TableWithJoins]) -> Result<Option<Scope<'a>>, Fault> {
        let [TableWithJoins { relation: factor @ TableFactor::Table { name, alias, .. }, joins }] = from else {
            return Ok(None);
        };
        let Some(table) = self.catalog_table(name).filter(|table| joins.is_empty() && !table.kind.is_beside_the_tree())
        else {
            return Ok(None);
        };
        refuse::table_modifiers(factor)?;
        let alias = self.table_alias(alias.as_ref())?;
        self.tables_used.insert(table.name.clone());
        let alias = alias.unwrap_or_else(|| table.name.clone());
        Ok(Some(Scope::of_rows(Reach::of_grain(self.names, table, &alias))))
    }

    /// The catalog table that a name in FROM means, unless a CTE has that name.
    fn catalog_table(&self, name: &ObjectName) -> Option<&'a TableNames> {
        let Some(name) = single(name) else { return self.list_in_from(name) };
        if self.ctes.iter().any(|cte| same_name(name, &cte.name.value)) {
            return None;
        }
        self.names.table(&name.value).filter(|table| same_name(name, &table.name))
    }

    /// The alias of a catalog table.
    fn table_alias(&self, alias: Option<&TableAlias>) -> Result<Option<String>, Fault> {
        let Some(alias) = alias else { return Ok(None) };
        if !alias.columns.is_empty() || alias.at.is_some() {
            return Err(refuse::modifier(alias.name.span, "other names for the columns of a table"));
        }
        self.own_alias(&alias.name)?;
        Ok(Some(spelled(&alias.name)))
    }

    /// Refuses an alias that is the name of another table, a link, or one of muster's own.
    pub(super) fn own_alias(&self, alias: &Ident) -> Result<(), Fault> {
        self.own_name(alias)?;
        let links = self.names.tables.iter().flat_map(|table| &table.links);
        match links.map(|(link, _, _)| link).find(|link| link.eq_ignore_ascii_case(&alias.value)) {
            Some(link) => {
                let message = format!("`{link}` is the name of a link");
                Err(Fault::new(ErrorKind::NotAllowed, alias.span, message).hint("choose another name"))
            }
            None => Ok(()),
        }
    }

    /// The tables of a plain FROM; they are put into the innermost scope one by one, so that ON sees those before it.
    ///
    /// Catalog tables stay placeholders, by their alias, until it is known which columns are used.
    pub(super) fn plain_from(&mut self, from: &[TableWithJoins]) -> Result<Vec<TableWithJoins>, Fault> {
        from.iter().map(|tables| self.table_with_joins(tables)).collect()
    }

    fn table_with_joins(&mut self, tables: &TableWithJoins) -> Result<TableWithJoins, Fault> {
        let relation = self.factor(&tables.relation)?;
        let joins = tables.joins.iter().map(|join| self.join(join)).collect::<Result<_, Fault>>()?;
        Ok(TableWithJoins { relation, joins })
    }

    fn join(&mut self, join: &Join) -> Result<Join, Fault> {
        if join.global {
            return Err(refuse::modifier(join.relation.span(), "GLOBAL"));
        }
        let before = self.tables().tables.len();
        let relation = self.factor(&join.relation)?;
        let mut constraint = |constraint: &JoinConstraint| self.constraint(constraint, before, &join.relation);
        let join_operator = match &join.join_operator {
            JoinOperator::Join(on) => JoinOperator::Join(constraint(on)?),
            JoinOperator::Inner(on) => JoinOperator::Inner(constraint(on)?),
            JoinOperator::Left(on) => JoinOperator::Left(constraint(on)?),
            JoinOperator::LeftOuter(on) => JoinOperator::LeftOuter(constraint(on)?),
            JoinOperator::Right(on) => JoinOperator::Right(constraint(on)?),
            JoinOperator::RightOuter(on) => JoinOperator::RightOuter(constraint(on)?),
            JoinOperator::FullOuter(on) => JoinOperator::FullOuter(constraint(on)?),
            JoinOperator::CrossJoin(JoinConstraint::None) => JoinOperator::CrossJoin(JoinConstraint::None),
            _ => {
                let fault = refuse::modifier(join.relation.span(), "this kind of JOIN");
                return Err(fault.hint("use JOIN, LEFT, RIGHT, FULL or CROSS JOIN, or EXISTS"));
            }
        };
        Ok(Join { relation, global: false, join_operator })
    }

    fn constraint(
        &mut self,
        constraint: &JoinConstraint,
        before: usize,
        joined: &TableFactor,
    ) -> Result<JoinConstraint, Fault> {
        match constraint {
            JoinConstraint::On(condition) => Ok(JoinConstraint::On(self.expression(condition)?.sql)),
            JoinConstraint::Using(names) => {
                let merged = names.iter().map(|name| self.merge(name, before)).collect::<Result<Vec<_>, Fault>>()?;
                Ok(JoinConstraint::Using(merged.iter().map(|name| ObjectName::from(sql::name(name))).collect()))
            }
            JoinConstraint::Natural => {
                Err(refuse::modifier(joined.span(), "NATURAL JOIN").hint("name the columns: JOIN … USING (…)"))
            }
            JoinConstraint::None => {
                Err(Fault::new(ErrorKind::Syntax, joined.span(), "a JOIN needs ON or USING")
                    .hint("or write CROSS JOIN"))
            }
        }
    }

    /// One column of USING: both sides must have it, in the same spelling.
    fn merge(&mut self, name: &ObjectName, before: usize) -> Result<String, Fault> {
        let Some(name) = single(name) else { return Err(refuse::modifier(name.span(), "a way in USING")) };
        let names = self.names;
        let tables = self.tables();
        let right = tables.tables.get_mut(before).map(|table| table.column(names, name)).transpose()?;
        let (left, joined) = tables.tables.split_at_mut(before);
        let column = joined.first().and_then(|table| table.columns.iter().find(|column| same_name(name, &column.name)));
        let (Some(column), Some(_)) = (column.cloned(), right) else {
            return Err(unknown::column_among("the joined table", &[], name));
        };
        let exact = Ident::with_quote_and_span('"', name.span, &column.name);
        let Some(other) = left.iter_mut().find(|table| table.has(&exact)) else {
            let known: Vec<String> =
                left.iter().flat_map(|table| &table.columns).map(|column| column.name.clone()).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            return Err(unknown::column_among("the left side of the JOIN", &known, name));
        };
        other.column(names, &exact)?;
        let spelling = column.name.clone();
        if tables.merged.iter().all(|merged| merged.name != spelling) {
            tables.merged.push(column);
        }
        Ok(spelling)
    }

    fn factor(&mut self, factor: &TableFactor) -> Result<TableFactor, Fault> {
        if let TableFactor::Table { name, alias, args: Some(arguments), .. } = factor {
            refuse::table_modifiers(&without_arguments(factor))?;
            if single(name).is_some_and(|name| spelled(name) == AFFINITY) {
                return self.affinity(name, arguments, alias.as_ref());
            }
            return self.segment_table(name, arguments, alias.as_ref());
        }
        refuse::table_modifiers(factor)?;
        match factor {
            TableFactor::Table { name, alias, .. } => self.named_table(name, alias.as_ref()),
            TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None } => {
                self.own_alias(&alias.name)?;
                let (subquery, columns) = self.apart(subquery)?;
                let columns = renamed(columns, alias)?;
                let quoted = quoted_alias(alias);
                let table = Table { alias: quoted.name.value.clone(), columns, relation: None };
                self.tables().add(table, &alias.name)?;
                Ok(sql::derived(subquery, quoted))
            }
            TableFactor::Derived { lateral: false, alias: None, .. } => {
                let message = "a query in FROM needs a name";
                Err(Fault::new(ErrorKind::Syntax, factor.span(), message).hint("write (SELECT …) AS name"))
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                let table_with_joins = Box::new(self.table_with_joins(table_with_joins)?);
                Ok(TableFactor::NestedJoin { table_with_joins, alias: None })
            }
            other => Err(refuse::modifier(other.span(), unsupported(other))),
        }
    }

    fn named_table(&mut self, name: &ObjectName, alias: Option<&TableAlias>) -> Result<TableFactor, Fault> {
        if let Some(table) = self.catalog_table(name) {
            return self.placed_table(table, name, alias);
        }
        let Some(ident) = single(name) else { return Err(self.qualified_table(name)) };
        let Some(cte) = self.ctes.iter().rev().find(|cte| same_name(ident, &cte.name.value)) else {
            if let Some(fault) = no_table(self.names, ident) {
                return Err(fault);
            }
            return Err(unknown::table(self.names, self.ctes.iter().map(|cte| cte.name.value.as_str()), ident));
        };
        let (spelling, columns) = (cte.name.value.clone(), cte.columns.clone());
        if let Some(alias) = alias {
            self.own_alias(&alias.name)?;
        }
        let columns = alias.map_or_else(|| Ok(columns.clone()), |alias| renamed(columns.clone(), alias))?;
        let quoted = alias.map(quoted_alias);
        let shown = quoted.as_ref().map_or_else(|| spelling.clone(), |alias| alias.name.value.clone());
        self.tables().add(Table { alias: shown, columns, relation: None }, ident)?;
        Ok(sql::table(&spelling, quoted))
    }

    /// A catalog table among others.
    fn placed_table(
        &mut self,
        table: &'a TableNames,
        name: &ObjectName,
        alias: Option<&TableAlias>,
    ) -> Result<TableFactor, Fault> {
        let shown = self.table_alias(alias)?.unwrap_or_else(|| table.name.clone());
        self.tables_used.insert(table.name.clone());
        let columns = table.columns.iter();
        let columns = columns.map(|column| OutputColumn { name: column.name.clone(), holds: Some(column.column_type) });
        let relation = Relation {
            alias: shown.clone(),
            table: table.name.clone(),
            columns: Vec::new(),
            visible: visible_with_profile(self.names, table),
            reached: Reached::Itself,
        };
        let placed = Table { alias: shown.clone(), columns: columns.collect(), relation: Some(relation) };
        let ident = single(name).or_else(|| behind_lists(name)).cloned().unwrap_or_else(|| Ident::new(&shown));
        self.tables().add(placed, alias.map_or(&ident, |alias| &alias.name))?;
        Ok(sql::table(&shown, Some(sql::alias(&shown))))
    }

    fn qualified_table(&self, name: &ObjectName) -> Fault {
        let schema = name.0.first().and_then(|part| part.as_ident()).map(|ident| ident.value.to_lowercase());
        match schema.as_deref() {
            _ if let Some(list) = behind_lists(name) => unknown::list(self.names, list),
            _ => {
                let tables: Vec<&str> = self.names.tables.iter().map(|table| table.name.as_str()).collect();
                Fault::new(ErrorKind::UnknownName, name.span(), format!("unknown table `{name}`"))
                    .hint(format!("tables: {}", tables.join(", ")))
            }
        }
    }

    /// The tables of the innermost scope, which is a plain one.
    pub(super) fn tables(&mut self) -> &mut Tables {
        match self.scopes.last_mut().map(|scope| &mut scope.source) {
            Some(Source::Tables(tables)) => tables,
            Some(Source::Rows(_)) | None => unreachable!("a plain FROM is read in a scope of tables"),
        }
    }

    /// Puts what is needed of each catalog table in the place that was held for it.
    pub(super) fn fill_from(&mut self, from: &mut [TableWithJoins]) {
        for tables in from {
            self.fill(&mut tables.relation);
            for join in &mut tables.joins {
                self.fill(&mut join.relation);
            }
        }
    }

    fn fill(&mut self, factor: &mut TableFactor) {
        match factor {
            TableFactor::Table { alias: Some(alias), .. } => {
                let as_of = self.as_of;
                let shown = alias.name.value.clone();
                let table = self.tables().tables.iter_mut().find(|table| table.alias == shown);
                if let Some(relation) = table.and_then(|table| table.relation.as_mut()) {
                    if relation.columns.is_empty() {
                        relation.columns.push(hidden::ROW.to_owned());
                    }
                    *factor = relation.factor(as_of);
                }
            }
            TableFactor::NestedJoin { table_with_joins, .. } => self.fill_from(std::slice::from_mut(table_with_joins)),
            _ => {}
        }
    }
}

/// The name, if it has one part.
fn single(name: &ObjectName) -> Option<&Ident> {
    match name.0.as_slice() {
        [part] => part.as_ident(),
        _ => None,
    }
}

/// A call as if it were a table, of which the same modifiers are no part.
fn without_arguments(call: &TableFactor) -> TableFactor {
    let mut table = call.clone();
    if let TableFactor::Table { args, .. } = &mut table {
        *args = None;
    }
    table
}

fn unsupported(factor: &TableFactor) -> &'static str {
    match factor {
        TableFactor::Derived { lateral: true, .. } => "LATERAL",
        TableFactor::Derived { .. } => "TABLESAMPLE",
        TableFactor::TableFunction { .. } | TableFactor::Function { .. } => "a table function",
        TableFactor::UNNEST { .. } => "UNNEST in FROM",
        TableFactor::NestedJoin { .. } => "an alias of a join",
        TableFactor::Pivot { .. } => "PIVOT",
        TableFactor::Unpivot { .. } => "UNPIVOT",
        TableFactor::MatchRecognize { .. } => "MATCH_RECOGNIZE",
        _ => "this kind of table",
    }
}
