//! A scope in the making: what the query calls its rows, and the domains and fields that stand behind the names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use arrow_schema::{DataType, Field as ArrowField, Schema};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::sql::sqlparser::ast;
use muster_language::{self as language, Reached, Relation, flat, hidden};
use muster_store::TableSchema;

use super::compile::NotHere;
use super::placed::{Numbers, Placed, place};
use super::plan::{Domain, DomainId, Field, LEVEL, Reduction, RowsOf, Scope, Source, Step, TUPLE};
use super::planner::{Planner, ROWS};
use crate::evaluation::Evaluation;
use crate::table::exposed;

/// A scope that is being made, and what the query calls things in it.
pub(super) struct Building<'q> {
    pub(super) scope: Scope,
    evaluation: &'q Evaluation,
    aliases: BTreeMap<String, DomainId>,
    /// What each field is called in the flat table.
    names: Vec<String>,
    /// What expressions may name: relations and histories.
    pub(super) known: BTreeSet<String>,
}

pub(super) fn schema_of<'e>(evaluation: &'e Evaluation, table: &str) -> Result<&'e TableSchema, NotHere> {
    evaluation.snapshot.schema(table).ok_or(NotHere::Shape("a table that was never loaded"))
}

pub(super) fn parent_of<'e>(evaluation: &'e Evaluation, table: &str) -> Option<&'e str> {
    evaluation.snapshot.schema(table).and_then(TableSchema::parent)
}

/// Whether `above` is an ancestor of `table`.
pub(super) fn is_above(evaluation: &Evaluation, above: &str, table: &str) -> bool {
    let mut climbing = parent_of(evaluation, table);
    while let Some(parent) = climbing {
        if parent == above {
            return true;
        }
        climbing = parent_of(evaluation, parent);
    }
    false
}

impl<'q> Building<'q> {
    pub(super) fn of(itself: &Relation, evaluation: &'q Evaluation) -> Self {
        let table = itself.table.clone();
        let tuple = Domain { from: TUPLE, step: Step::Tuple, rows: RowsOf::Tuples, places: OnceLock::new() };
        let rows = RowsOf::Block(table.clone());
        let level = Domain { from: TUPLE, step: Step::Component(0), rows, places: OnceLock::new() };
        let scope = Scope {
            table,
            visible: itself.visible.clone(),
            domains: vec![tuple, level],
            fields: Vec::new(),
            schema: Arc::new(Schema::empty()),
            histories: Vec::new(),
        };
        let aliases = BTreeMap::from([(itself.alias.clone(), LEVEL)]);
        Self { scope, evaluation, aliases, names: Vec::new(), known: BTreeSet::new() }
    }

    fn domain_of(&self, alias: &str) -> Result<DomainId, NotHere> {
        self.aliases.get(alias).copied().ok_or(NotHere::Shape("a name of no relation"))
    }

    fn table_of(&self, domain: DomainId) -> &str {
        match &self.scope.domains[domain].rows {
            RowsOf::Block(table) | RowsOf::Lookup { table, .. } | RowsOf::Texts { table, .. } => table,
            RowsOf::Tuples => &self.scope.table,
        }
    }

    /// The domain that is reached so, made if it is not there.
    pub(super) fn reached(&mut self, from: DomainId, step: Step, rows: RowsOf) -> DomainId {
        let known = self.scope.domains.iter().position(|known| known.from == from && known.step == step);
        known.unwrap_or_else(|| {
            self.scope.domains.push(Domain { from, step, rows, places: OnceLock::new() });
            self.scope.domains.len() - 1
        })
    }

    fn parent(&mut self, domain: DomainId) -> Result<DomainId, NotHere> {
        let parent = parent_of(self.evaluation, self.table_of(domain));
        let parent = parent.ok_or(NotHere::Shape("a row above the topmost"))?.to_owned();
        Ok(self.reached(domain, Step::Parent, RowsOf::Block(parent)))
    }

    /// The domain of the row of `table` above, or itself.
    pub(super) fn climb_to(&mut self, mut domain: DomainId, table: &str) -> Result<DomainId, NotHere> {
        while self.table_of(domain) != table {
            domain = self.parent(domain)?;
        }
        Ok(domain)
    }

    /// The table above that of the scope and all others, or itself.
    pub(super) fn root_table(&self) -> &str {
        let mut table = self.scope.table.as_str();
        while let Some(parent) = parent_of(self.evaluation, table) {
            table = parent;
        }
        table
    }

    /// The domain of the profile.
    fn root(&mut self, mut domain: DomainId) -> Result<DomainId, NotHere> {
        while parent_of(self.evaluation, self.table_of(domain)).is_some() {
            domain = self.parent(domain)?;
        }
        Ok(domain)
    }

    /// The domain of the row whose number a hidden column holds.
    pub(super) fn row_of(&mut self, (alias, column): &(String, String)) -> Result<DomainId, NotHere> {
        let domain = self.domain_of(alias)?;
        match column.as_str() {
            hidden::ROW => Ok(domain),
            hidden::PARENT => self.parent(domain),
            hidden::PROFILE => self.root(domain),
            _ => Err(NotHere::Shape("a key that is no row number")),
        }
    }

    /// The component of the tuples whose row a hidden column numbers.
    pub(super) fn component(&mut self, key: &(String, String)) -> Result<usize, NotHere> {
        let domain = self.row_of(key)?;
        match self.scope.domains[domain].step {
            Step::Component(component) => Ok(component),
            _ => Err(NotHere::Shape("rows chosen for what is no component")),
        }
    }

    pub(super) fn relate(&mut self, relation: &Relation) -> Result<(), NotHere> {
        let domain = match &relation.reached {
            Reached::Itself | Reached::Enclosing { .. } => return Err(NotHere::Shape("a relation out of place")),
            Reached::Ancestor { from, by } => self.row_of(&(from.clone(), by.clone()))?,
            Reached::Lookup { from, by, key } => {
                let by = self.field(from, by)?;
                let rows = RowsOf::Lookup { table: relation.table.clone(), key: key.clone() };
                self.reached(self.scope.fields[by].domain, Step::Lookup { by }, rows)
            }
        };
        self.aliases.insert(relation.alias.clone(), domain);
        Ok(())
    }

    /// The enclosing rows, with what leads down to them and what is reached from them.
    pub(super) fn enclose(&mut self, enclosing: &[Relation], components: &BTreeSet<&str>) -> Result<(), NotHere> {
        let (mut count, mut way) = (1, Vec::new());
        for relation in enclosing {
            match &relation.reached {
                Reached::Enclosing { .. } if components.contains(relation.alias.as_str()) => {
                    let rows = RowsOf::Block(relation.table.clone());
                    let domain = self.reached(TUPLE, Step::Component(count), rows);
                    count += 1;
                    self.aliases.insert(relation.alias.clone(), domain);
                    for above in std::mem::take(&mut way) {
                        let above: &Relation = above;
                        let domain = self.climb_to(domain, &above.table)?;
                        self.aliases.insert(above.alias.clone(), domain);
                    }
                }
                Reached::Enclosing { .. } => way.push(relation),
                _ => self.relate(relation)?,
            }
        }
        Ok(())
    }

    /// The enclosing row whose history it is: its alias, and the table of the row that it shares with the level.
    pub(super) fn entered_from(&mut self, history: &language::History) -> Result<(String, String), NotHere> {
        for (place, relation) in history.enclosing.iter().enumerate() {
            let Reached::Enclosing { from, by, .. } = &relation.reached else { continue };
            if history.enclosing.iter().any(|other| other.alias == *from) {
                continue;
            }
            let shared = self.row_of(&(from.clone(), by.clone()))?;
            if self.table_of(shared) == history.shared {
                let is_component = |relation: &&Relation| history.keys.iter().any(|key| key.inner.0 == relation.alias);
                let component = history.enclosing[place..].iter().find(is_component);
                let component = component.ok_or(NotHere::Shape("a way that leads nowhere"))?;
                return Ok((component.alias.clone(), history.shared.clone()));
            }
        }
        Err(NotHere::Shape("a history of no row around"))
    }

    pub(super) fn add_columns(&mut self, relation: &Relation) -> Result<(), NotHere> {
        self.known.insert(relation.alias.clone());
        let mut columns = relation.columns.iter().map(String::as_str);
        self.evaluation.masks.note(&relation.table, columns.clone())?;
        columns.try_for_each(|column| self.field(&relation.alias, column).map(drop))
    }

    /// The field of a column, made if it is not there.
    fn field(&mut self, alias: &str, column: &str) -> Result<usize, NotHere> {
        let name = flat::column(alias, column);
        if let Some(known) = self.names.iter().position(|known| *known == name) {
            return Ok(known);
        }
        let domain = self.domain_of(alias)?;
        let (domain, source, data_type) = self.source(domain, column)?;
        Ok(self.add(name, domain, source, data_type))
    }

    pub(super) fn add(&mut self, name: String, domain: DomainId, source: Source, data_type: DataType) -> usize {
        self.names.push(name);
        self.scope.fields.push(Field { domain, source, data_type });
        self.names.len() - 1
    }

    /// Where the values of a column come from.
    fn source(&mut self, domain: DomainId, column: &str) -> Result<(DomainId, Source, DataType), NotHere> {
        let table = self.table_of(domain).to_owned();
        match column {
            hidden::ROW => return Ok((domain, Source::Row, DataType::Int64)),
            hidden::PARENT => return Ok((self.parent(domain)?, Source::Row, DataType::Int64)),
            hidden::PROFILE => return Ok((self.root(domain)?, Source::Row, DataType::Int64)),
            hidden::TIME => return self.time(domain, &table),
            _ => {}
        }
        let computed = &self.evaluation.computed;
        if let Some(place) = computed.iter().position(|known| known.table == table && known.column == column) {
            return Ok((domain, Source::Computed(place), computed[place].content.data_type()));
        }
        let schema = schema_of(self.evaluation, &table)?;
        let place = schema.position(column).ok_or(NotHere::Shape("a column of no table"))?;
        let zone: Arc<str> = self.evaluation.zone.name().into();
        let data_type = exposed(schema.columns[place].column_type, &zone);
        if self.evaluation.masks.covers(&table, column) {
            return Ok((domain, Source::Masked, data_type));
        }
        self.stored(domain, schema, column, data_type)
    }

    fn stored(
        &mut self,
        domain: DomainId,
        schema: &TableSchema,
        column: &str,
        data_type: DataType,
    ) -> Result<(DomainId, Source, DataType), NotHere> {
        // The parent's key stands in the parent.
        if let (Some(on), Some(parent)) = (schema.parent_key(), schema.parent())
            && on == column
            && let Some(key) = schema_of(self.evaluation, parent)?.key.clone()
        {
            let above = self.parent(domain)?;
            let parent = schema_of(self.evaluation, parent)?;
            return self.stored(above, parent, &key, data_type);
        }
        let texts = self.evaluation.snapshot.texts(&schema.name, column).map_err(crate::table::external)?;
        if texts.is_none() || data_type != DataType::Utf8View {
            return Ok((domain, Source::Column(column.to_owned()), data_type));
        }
        let rows = RowsOf::Texts { table: schema.name.clone(), column: column.to_owned() };
        let texts = self.reached(domain, Step::Text { column: column.to_owned() }, rows);
        Ok((texts, Source::Text, data_type))
    }

    /// The instant of a row: its own or that of the nearest row above that has one.
    fn time(&mut self, domain: DomainId, table: &str) -> Result<(DomainId, Source, DataType), NotHere> {
        match self.evaluation.snapshot.time_column(table).map(ToOwned::to_owned) {
            Some(time) => {
                let zone: Arc<str> = self.evaluation.zone.name().into();
                let data_type = exposed(muster_catalog::ColumnType::Timestamp, &zone);
                Ok((domain, Source::Column(time), data_type))
            }
            None => {
                let above = self.parent(domain)?;
                let table = self.table_of(above).to_owned();
                self.time(above, &table)
            }
        }
    }

    pub(super) fn schema(&self) -> Arc<Schema> {
        let fields = self.names.iter().zip(&self.scope.fields);
        let is_nullable = |field: &Field| match field.source {
            Source::Row => false,
            Source::Reduced { history, aggregate } => {
                let aggregate = &self.scope.histories[history].aggregates[aggregate];
                !matches!(aggregate.reduction, Reduction::Count | Reduction::Has)
            }
            _ => true,
        };
        Arc::new(Schema::new(
            fields
                .map(|(name, field)| ArrowField::new(name, field.data_type.clone(), is_nullable(field)))
                .collect::<Vec<_>>(),
        ))
    }

    /// What computes these expressions about the rows.
    pub(super) fn plan(
        &self,
        planner: &Planner<'_>,
        expressions: impl Iterator<Item = ast::Expr>,
    ) -> Result<Vec<Arc<dyn PhysicalExpr>>, NotHere> {
        let known = self.known.iter().map(String::as_str).collect();
        let flat = expressions.map(|expr| flat::flattened(&expr, &known, ROWS)).collect();
        Ok(planner.plan(&self.scope.schema, flat)?)
    }

    pub(super) fn outputs(&self, numbers: &mut Numbers) -> Result<Vec<Placed>, NotHere> {
        let outputs = self.names.iter().enumerate().map(|(field, name)| {
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(name, field));
            Ok(place(&self.scope, &column, numbers)?)
        });
        outputs.collect()
    }
}
