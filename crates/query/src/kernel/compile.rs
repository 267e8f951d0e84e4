//! From a resolved query to what the kernel computes: names become domains and fields, expressions become the engine's.
//!
//! What the kernel cannot do yet is said by [`NotHere`]; such a query runs as plain SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use arrow_schema::{DataType, Field as ArrowField, Schema};
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateExprBuilder;
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast;
use muster_language::{
    self as language, Body, Function, GroupKey, Reached, Relation, ResolvedQuery, Rows, flat, hidden,
};
use muster_store::TableSchema;

use super::placed::{Input, Numbers, Placed, place};
use super::plan::{
    Aggregate, Chosen, Domain, DomainId, Field, Filter, History, LEVEL, Reduction, RowsOf, Scope, Source, Step, TUPLE,
};
use super::planner::{Planner, ROWS};
use crate::evaluation::Evaluation;
use crate::table::exposed;

/// Why a query does not run in the kernel.
#[derive(Debug)]
pub(crate) enum NotHere {
    /// It has something that the kernel does not know.
    Shape(&'static str),
    /// The engine refuses an expression; as plain SQL it says why.
    Engine(DataFusionError),
}

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(what) => write!(f, "{what} is for plain SQL"),
            Self::Engine(error) => write!(f, "{error}"),
        }
    }
}

impl From<DataFusionError> for NotHere {
    fn from(error: DataFusionError) -> Self {
        Self::Engine(error)
    }
}

/// A SELECT that the kernel can do: its rows, which of them, and what is left to the engine.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(super) scope: Scope,
    pub(super) conditions: Filter,
    /// Each field of the scope, for the rows of the answer.
    pub(super) outputs: Vec<Placed>,
    /// Whether the conditions are all that a row must meet.
    pub(crate) is_whole: bool,
    /// The rest of the statement, over the flat table.
    pub(crate) rest: ast::Query,
}

/// Compiles a SELECT over the rows of one table.
pub(crate) fn compile(
    query: &ResolvedQuery,
    evaluation: &Evaluation,
    context: &SessionContext,
) -> Result<Compiled, NotHere> {
    let Body::Grain(grain) = &query.body else { return Err(NotHere::Shape("a FROM without a grain")) };
    let planner = &Planner::new(context);
    let mut compiler = Compiler { evaluation, planner, numbers: Numbers::default(), histories: 0 };
    let building = compiler.scope(&grain.rows, &[], &BTreeSet::new())?;
    let asides = grain.rows.asides.iter().map(|aside| aside.name.as_str()).collect();
    let (left, own): (Vec<&ast::Expr>, Vec<&ast::Expr>) =
        grain.conditions().into_iter().partition(|condition| flat::reaches_beyond(condition, &asides));
    let is_whole = left.is_empty();
    let rest = grain.over(ROWS, left.into_iter().cloned());
    let planned = building.plan(planner, own.into_iter().cloned())?;
    let conditions = compiler.filter(&building.scope, &planned)?;
    let outputs = building.outputs(&mut compiler.numbers)?;
    Ok(Compiled { scope: building.scope, conditions, outputs, is_whole, rest })
}

struct Compiler<'q> {
    evaluation: &'q Evaluation,
    planner: &'q Planner<'q>,
    numbers: Numbers,
    histories: usize,
}

/// A scope that is being made, and what the query calls things in it.
struct Building<'q> {
    scope: Scope,
    evaluation: &'q Evaluation,
    aliases: BTreeMap<String, DomainId>,
    /// What each field is called in the flat table.
    names: Vec<String>,
    /// What expressions may name: relations and histories.
    known: BTreeSet<String>,
}

impl<'q> Compiler<'q> {
    /// The scope of rows, beside which stand enclosing rows; those of `components` are components of its tuples.
    fn scope(
        &mut self,
        rows: &Rows,
        enclosing: &[Relation],
        components: &BTreeSet<&str>,
    ) -> Result<Building<'q>, NotHere> {
        let mut building = Building::of(&rows.relations[0], self.evaluation);
        rows.relations.iter().skip(1).try_for_each(|relation| building.relate(relation))?;
        building.enclose(enclosing, components)?;
        rows.relations.iter().chain(enclosing).try_for_each(|relation| building.add_columns(relation))?;
        for history in &rows.histories {
            self.history(&mut building, history)?;
        }
        building.scope.schema = building.schema();
        Ok(building)
    }

    fn history(&mut self, around: &mut Building<'q>, history: &language::History) -> Result<(), NotHere> {
        if !history.rows.asides.is_empty() {
            return Err(NotHere::Shape("a table beside the rows of a history"));
        }
        let is_beside = |alias: &str| history.enclosing.iter().any(|relation| relation.alias == alias);
        let (components, own): (Vec<&GroupKey>, Vec<&GroupKey>) =
            history.keys.iter().partition(|key| is_beside(&key.inner.0));
        let beside = components.iter().map(|key| around.row_of(&key.outer)).collect::<Result<Vec<_>, _>>()?;
        let names = components.iter().map(|key| key.inner.0.as_str()).collect();
        let mut inside = self.scope(&history.rows, &history.enclosing, &names)?;
        let of = match own.first() {
            Some(key) => around.row_of(&key.outer)?,
            None => {
                let (first, domain) = inside.entered_from(history)?;
                let component = components.iter().position(|key| key.inner.0 == first);
                let component = component.ok_or(NotHere::Shape("an enclosing row that is no component"))?;
                around.climb_to(beside[component], &domain)?
            }
        };
        let chosen = history.among.as_deref().map(|chosen| self.chosen(&mut inside, history, chosen)).transpose()?;
        let aggregates = self.aggregates(&inside, history)?;
        self.histories += 1;
        let (number, place) = (self.histories, around.scope.histories.len());
        let is_correlated = !beside.is_empty();
        for (index, (aggregate, written)) in aggregates.iter().zip(&history.aggregates).enumerate() {
            let source = Source::Reduced { history: place, aggregate: index };
            let domain = if is_correlated { TUPLE } else { of };
            around.add(flat::column(&history.name, &written.name), domain, source, aggregate.data_type.clone());
        }
        around.known.insert(history.name.clone());
        let (scope, shared) = (inside.scope, history.shared.clone());
        around.scope.histories.push(History { number, scope, shared, of, beside, chosen, aggregates });
        Ok(())
    }

    fn chosen(
        &mut self,
        inside: &mut Building<'q>,
        history: &language::History,
        chosen: &language::Chosen,
    ) -> Result<Chosen, NotHere> {
        if !chosen.rows.asides.is_empty() {
            return Err(NotHere::Shape("a table beside the rows of a history"));
        }
        let components = chosen.keys.iter().map(|key| key.inner.0.as_str()).collect();
        let building = self.scope(&chosen.rows, &chosen.enclosing, &components)?;
        let beside = chosen.keys.iter().map(|key| inside.component(&key.outer)).collect::<Result<_, _>>()?;
        let conditions: Vec<ast::Expr> = chosen.condition.iter().flat_map(flat::conjuncts).cloned().collect();
        let (count, order) = (conditions.len(), self.order_needed(history, &chosen.order));
        let planned = building.plan(self.planner, conditions.into_iter().chain(order))?;
        let condition = self.filter(&building.scope, &planned[..count])?;
        let order = self.placed(&building.scope, &planned[count..])?;
        let count = usize::try_from(chosen.count).unwrap_or(usize::MAX);
        Ok(Chosen { scope: building.scope, beside, condition, order, last: chosen.last, count })
    }

    fn aggregates(&mut self, inside: &Building<'q>, history: &language::History) -> Result<Vec<Aggregate>, NotHere> {
        let parts = history.aggregates.iter().map(|aggregate| {
            let filter: Vec<ast::Expr> = aggregate.filter.iter().flat_map(flat::conjuncts).cloned().collect();
            (aggregate.value(), filter, self.order_needed(history, &aggregate.order))
        });
        let parts: Vec<_> = parts.collect();
        let all = parts.iter().flat_map(|(value, filter, order)| value.iter().chain(filter).chain(order).cloned());
        let mut planned = inside.plan(self.planner, all)?.into_iter();
        let mut aggregates = Vec::with_capacity(parts.len());
        for (aggregate, (value, filter, order)) in history.aggregates.iter().zip(parts) {
            let value = value.and_then(|_| planned.next());
            let filter: Vec<_> = planned.by_ref().take(filter.len()).collect();
            let order: Vec<_> = planned.by_ref().take(order.len()).collect();
            aggregates.push(self.aggregate(&inside.scope, aggregate, value, &filter, &order)?);
        }
        Ok(aggregates)
    }

    fn aggregate(
        &mut self,
        scope: &Scope,
        aggregate: &language::Aggregate,
        value: Option<Arc<dyn PhysicalExpr>>,
        filter: &[Arc<dyn PhysicalExpr>],
        order: &[Arc<dyn PhysicalExpr>],
    ) -> Result<Aggregate, NotHere> {
        let value = value.map(|value| widened(value, scope, aggregate.function)).transpose()?;
        let held = value.as_ref().map(|value| value.data_type(&scope.schema)).transpose()?;
        let reduction = self.reduction(aggregate, held.as_ref())?;
        let data_type = match (&reduction, held) {
            (Reduction::Count, _) => DataType::Int64,
            (Reduction::Has, _) => DataType::Boolean,
            (Reduction::Engine { engines, .. }, _) => engines.field().data_type().clone(),
            (Reduction::Nth(_), held) => held.ok_or(NotHere::Shape("the n-th of nothing"))?,
        };
        let argument = value.map(|value| place(scope, &value, &mut self.numbers)).transpose()?;
        let (filter, order) = (self.filter(scope, filter)?, self.placed(scope, order)?);
        Ok(Aggregate { reduction, argument, filter, order, data_type })
    }

    fn reduction(&self, aggregate: &language::Aggregate, held: Option<&DataType>) -> Result<Reduction, NotHere> {
        let engines = match aggregate.function {
            Function::Count if !aggregate.distinct => return Ok(Reduction::Count),
            Function::Has => return Ok(Reduction::Has),
            Function::Nth(place) => return Ok(Reduction::Nth(place)),
            Function::Stddev => "stddev_samp",
            other => other.name(),
        };
        let Some(held) = held else { return Err(NotHere::Shape("a reduction of nothing")) };
        let function = self.planner.aggregate(engines)?;
        let value: Arc<dyn PhysicalExpr> = Arc::new(Column::new("value", 0));
        let schema = Arc::new(Schema::new(vec![ArrowField::new("value", held.clone(), true)]));
        let engines = AggregateExprBuilder::new(function, vec![value]).schema(schema).alias("reduced");
        let engines = Arc::new(engines.with_distinct(aggregate.distinct).build()?);
        Ok(Reduction::Engine { function: aggregate.function, engines })
    }

    /// What rows must be sorted by, where they do not stand in that order below the row that they share.
    ///
    /// They stand by the times of the rows above them first; a time of their own comes last.
    fn order_needed(&self, history: &language::History, order: &[ast::Expr]) -> Vec<ast::Expr> {
        let snapshot = &self.evaluation.snapshot;
        let mut timed = history.level.as_str();
        while snapshot.time_column(timed).is_none() {
            match parent_of(self.evaluation, timed) {
                Some(parent) => timed = parent,
                None => break,
            }
        }
        let above = |table: &str| table == history.shared || is_above(self.evaluation, table, &history.shared);
        let stand = !snapshot.is_past() && (above(timed) || parent_of(self.evaluation, timed) == Some(&history.shared));
        if stand { Vec::new() } else { order.to_vec() }
    }

    fn filter(&mut self, scope: &Scope, conditions: &[Arc<dyn PhysicalExpr>]) -> Result<Filter, NotHere> {
        for condition in conditions {
            if !matches!(condition.data_type(&scope.schema)?, DataType::Boolean | DataType::Null) {
                return Err(NotHere::Shape("a condition that is no truth value"));
            }
        }
        let placed = self.placed(scope, conditions)?;
        let (then, first) = placed.into_iter().partition(|condition| needs_tuples(scope, condition));
        Ok(Filter { first, then })
    }

    fn placed(&mut self, scope: &Scope, expressions: &[Arc<dyn PhysicalExpr>]) -> Result<Vec<Placed>, NotHere> {
        Ok(expressions.iter().map(|expr| place(scope, expr, &mut self.numbers)).collect::<Result<_, _>>()?)
    }
}

/// Whether an expression reads a history that is taken for each tuple.
fn needs_tuples(scope: &Scope, placed: &Placed) -> bool {
    placed.inputs.iter().any(|input| match input {
        Input::Carried(inner) => needs_tuples(scope, inner),
        Input::Field(field) => match scope.fields[*field].source {
            Source::Reduced { history, .. } => scope.histories[history].is_correlated(),
            _ => false,
        },
    })
}

/// Functions of numbers take the widest of their kind, as the engine coerces them.
fn widened(value: Arc<dyn PhysicalExpr>, scope: &Scope, function: Function) -> Result<Arc<dyn PhysicalExpr>, NotHere> {
    if !matches!(function, Function::Sum | Function::Median | Function::Stddev) {
        return Ok(value);
    }
    let wide = match value.data_type(&scope.schema)? {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => {
            DataType::Int64
        }
        DataType::Float16 | DataType::Float32 => DataType::Float64,
        DataType::Int64 | DataType::Float64 | DataType::Decimal128(..) => return Ok(value),
        _ => return Err(NotHere::Shape("a sum of what is no number")),
    };
    Ok(Arc::new(CastExpr::new(value, wide, None)))
}

fn schema_of<'e>(evaluation: &'e Evaluation, table: &str) -> Result<&'e TableSchema, NotHere> {
    evaluation.snapshot.schema(table).ok_or(NotHere::Shape("a table that was never loaded"))
}

fn parent_of<'e>(evaluation: &'e Evaluation, table: &str) -> Option<&'e str> {
    evaluation.snapshot.schema(table).and_then(TableSchema::parent)
}

/// Whether `above` is an ancestor of `table`.
fn is_above(evaluation: &Evaluation, above: &str, table: &str) -> bool {
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
    fn of(itself: &Relation, evaluation: &'q Evaluation) -> Self {
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
    fn reached(&mut self, from: DomainId, step: Step, rows: RowsOf) -> DomainId {
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
    fn climb_to(&mut self, mut domain: DomainId, table: &str) -> Result<DomainId, NotHere> {
        while self.table_of(domain) != table {
            domain = self.parent(domain)?;
        }
        Ok(domain)
    }

    /// The domain of the row whose number a hidden column holds.
    fn row_of(&mut self, (alias, column): &(String, String)) -> Result<DomainId, NotHere> {
        let mut domain = self.domain_of(alias)?;
        match column.as_str() {
            hidden::ROW => Ok(domain),
            hidden::PARENT => self.parent(domain),
            hidden::PROFILE => {
                while parent_of(self.evaluation, self.table_of(domain)).is_some() {
                    domain = self.parent(domain)?;
                }
                Ok(domain)
            }
            _ => Err(NotHere::Shape("a key that is no row number")),
        }
    }

    /// The component of the tuples whose row a hidden column numbers.
    fn component(&mut self, key: &(String, String)) -> Result<usize, NotHere> {
        let domain = self.row_of(key)?;
        match self.scope.domains[domain].step {
            Step::Component(component) => Ok(component),
            _ => Err(NotHere::Shape("rows chosen for what is no component")),
        }
    }

    fn relate(&mut self, relation: &Relation) -> Result<(), NotHere> {
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
    fn enclose(&mut self, enclosing: &[Relation], components: &BTreeSet<&str>) -> Result<(), NotHere> {
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
    fn entered_from(&mut self, history: &language::History) -> Result<(String, String), NotHere> {
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

    fn add_columns(&mut self, relation: &Relation) -> Result<(), NotHere> {
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

    fn add(&mut self, name: String, domain: DomainId, source: Source, data_type: DataType) -> usize {
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
            hidden::PROFILE => {
                let mut root = domain;
                while parent_of(self.evaluation, self.table_of(root)).is_some() {
                    root = self.parent(root)?;
                }
                return Ok((root, Source::Row, DataType::Int64));
            }
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

    fn schema(&self) -> Arc<Schema> {
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
    fn plan(
        &self,
        planner: &Planner<'_>,
        expressions: impl Iterator<Item = ast::Expr>,
    ) -> Result<Vec<Arc<dyn PhysicalExpr>>, NotHere> {
        let known = self.known.iter().map(String::as_str).collect();
        let flat = expressions.map(|expr| flat::flattened(&expr, &known, ROWS)).collect();
        Ok(planner.plan(&self.scope.schema, flat)?)
    }

    fn outputs(&self, numbers: &mut Numbers) -> Result<Vec<Placed>, NotHere> {
        let outputs = self.names.iter().enumerate().map(|(field, name)| {
            let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(name, field));
            Ok(place(&self.scope, &column, numbers)?)
        });
        outputs.collect()
    }
}
