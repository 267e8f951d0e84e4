//! What a query reads that no table stores: who is in a segment, on a list, in an audience, what held at another instant,
//! what a variable is. Each is evaluated before the query, on the same snapshot.

use std::sync::Arc;

use arrow_schema::{DataType, TimeUnit};
use muster_catalog::{ColumnType, RowSet, Timestamp};
use muster_language::{ResolvedQuery, VariableDefinition, hidden, resolve_variable};
use muster_query::{Computed, Content, Evaluation, Values};

use crate::evaluator::{Evaluator, PROFILES};
use crate::{Error, Item};

impl Evaluator<'_> {
    /// What `query` runs over; `path` holds the segments and variables that wait for it.
    pub(crate) fn evaluation(&self, query: &ResolvedQuery, path: &mut Vec<Item>) -> Result<Evaluation, Error> {
        let as_of = query.as_of;
        let mut computed = Vec::new();
        let mut members = |table: &str, column: String, rows: Arc<RowSet>| {
            computed.push(Computed { table: table.to_owned(), column, content: Content::Members(rows) });
        };
        for name in &query.segments_used {
            members(self.grain(self.definition(name)?), hidden::segment(name), self.rows_below(name, as_of, path)?);
        }
        for name in &query.lists_used {
            members(PROFILES, hidden::list(name), self.on_list(name)?);
        }
        for name in &query.audiences_used {
            members(PROFILES, hidden::audience(name), self.audience(name, as_of)?);
        }
        for past in &query.past {
            let evaluation = self.evaluation(&past.rows.query, path)?;
            let rows = Arc::new(self.engine().rows(&past.rows, &evaluation)?);
            members(&past.rows.grain, past.column.clone(), rows);
        }
        for name in &query.variables_used {
            let content = Content::Values(self.values(name, as_of, path)?);
            computed.push(Computed { table: PROFILES.to_owned(), column: name.clone(), content });
        }
        Ok(Evaluation { snapshot: self.snapshot_as_of(as_of)?, zone: self.names().zone, computed })
    }

    /// What the variable `name` is for each profile as of an instant.
    fn values(&self, name: &str, as_of: Timestamp, path: &mut Vec<Item>) -> Result<Arc<Values>, Error> {
        let variable = self.variable(name)?;
        if let Some(known) = self.known_values(name, as_of) {
            return Ok(known);
        }
        let values = self.waiting(variable.item(), path, |path| {
            let resolved = resolve_variable(&variable.definition, self.names(), as_of)?;
            let evaluation = self.evaluation(&resolved, path)?;
            let values = self.engine().values(&resolved, &evaluation)?;
            self.note_uses(variable.item(), &resolved);
            Ok(values.cast(&self.in_the_engine(variable.holds)).map_err(muster_store::Error::from)?)
        })?;
        Ok(self.keep_values(name, as_of, Arc::new(values)))
    }

    /// What a variable holds that is not known yet, by the names that are.
    ///
    /// # Errors
    /// If it does not resolve or fails; [`Error::NoColumn`] for what no column can hold.
    pub(crate) fn held_by(&self, definition: &VariableDefinition, as_of: Timestamp) -> Result<ColumnType, Error> {
        let resolved = resolve_variable(definition, self.names(), as_of)?;
        let evaluation = self.evaluation(&resolved, &mut Vec::new())?;
        let values = self.engine().values(&resolved, &evaluation)?;
        let no_column = || Error::NoColumn { name: definition.name.clone(), found: values.data_type().to_string() };
        crate::variable::held(values.data_type()).ok_or_else(no_column)
    }

    /// Instants have the workspace's zone inside the engine.
    fn in_the_engine(&self, holds: ColumnType) -> DataType {
        match holds {
            ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(self.names().zone.name().into())),
            other => other.arrow(),
        }
    }
}
