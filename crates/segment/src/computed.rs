//! What a query reads that no table stores: who is in a segment, on a list, in an audience, what held at another instant,
//! what a variable is. Each is evaluated before the query, on the same snapshot.

use std::sync::Arc;

use arrow_schema::{DataType, TimeUnit};
use muster_catalog::{ColumnType, RowSet, TableNames, Timestamp};
use muster_language::{ResolvedQuery, VariableDefinition, hidden, resolve_variable};
use muster_query::{Computed, Content, Evaluation, Values};

use crate::evaluator::{Evaluator, PROFILES};
use crate::{Error, Item};

impl Evaluator<'_> {
    /// What `query` runs over; `path` holds the segments and variables that wait for it.
    pub(crate) fn evaluation(&self, query: &ResolvedQuery, path: &mut Vec<Item>) -> Result<Evaluation, Error> {
        let as_of = query.as_of;
        let mut computed = self.columns(&Named::by(query), as_of, path)?;
        for past in &query.past {
            let evaluation = self.whole_evaluation(&past.rows.query, path)?;
            let rows = Arc::new(self.engine().rows(&past.rows, &evaluation)?);
            computed.push(members(&past.rows.grain, past.column.clone(), rows));
        }
        let (snapshot, zone) = (self.snapshot_as_of(as_of)?, self.names().zone);
        let affinity = |name: &String| Ok((hidden::affinity(name), self.affinity_rows(name, as_of)?));
        let tables = query.affinities_used.iter().map(affinity).collect::<Result<_, Error>>()?;
        Ok(Evaluation { snapshot, zone, computed, tables, masks: self.masks().fresh() })
    }

    /// The same for a query that would be wrong without a column that is masked: it is refused where it reads one.
    pub(crate) fn whole_evaluation(&self, query: &ResolvedQuery, path: &mut Vec<Item>) -> Result<Evaluation, Error> {
        Ok(Evaluation { masks: self.masks().refusing(), ..self.evaluation(query, path)? })
    }

    /// All that a query may name and no table stores, as of an instant: what printed SQL finds in exported tables. Beside it
    /// what has no answer, since a column is gone, with the reason.
    pub fn all_columns(&self, as_of: Timestamp) -> (Vec<Computed>, Vec<(Item, Error)>) {
        let (mut columns, mut without) = (Vec::new(), Vec::new());
        for (item, named) in self.everything() {
            match self.columns(&named, as_of, &mut Vec::new()) {
                Ok(found) => columns.extend(found),
                // A score that nobody asked for yet is no column that got lost.
                Err(Error::NotScored { .. }) => {}
                Err(error) => without.push((item, error)),
            }
        }
        (columns, without)
    }

    /// Everything that has a name, one by one: segments with their audiences, lists, variables, scores.
    fn everything(&self) -> impl Iterator<Item = (Item, Named<'_>)> {
        let segments = self.definitions().map(|definition| definition.name.as_str());
        let segments =
            segments.map(|name| (name, Named { segments: vec![name], audiences: vec![name], ..Named::default() }));
        let lists = self.names().lists().filter_map(TableNames::list_name);
        let lists = lists.map(|name| (name, Named { lists: vec![name], ..Named::default() }));
        let members = segments.chain(lists).map(|(name, named)| (Item::Segment(name.to_owned()), named));
        let variables = self.variables();
        let variables = variables.map(|variable| {
            let named = Named { variables: vec![variable.name()], ..Named::default() };
            (variable.item(), named)
        });
        let scores = self.names().scores.iter().map(|score| {
            let columns = score.columns.iter().map(|column| (score.name.as_str(), column.name.as_str()));
            (Item::Score(score.name.clone()), Named { scores: columns.collect(), ..Named::default() })
        });
        members.chain(variables).chain(scores)
    }

    /// What is known of everybody already that a query names: lists, audiences, scores.
    pub(crate) fn known_members(&self, query: &ResolvedQuery, path: &mut Vec<Item>) -> Result<Vec<Computed>, Error> {
        let known = Named { segments: Vec::new(), variables: Vec::new(), ..Named::by(query) };
        self.columns(&known, query.as_of, path)
    }

    fn columns(&self, named: &Named<'_>, as_of: Timestamp, path: &mut Vec<Item>) -> Result<Vec<Computed>, Error> {
        let mut computed = Vec::new();
        for name in &named.segments {
            let (grain, rows) = (self.grain(self.definition(name)?), self.rows_below(name, as_of, path)?);
            computed.push(members(grain, hidden::segment(name), rows));
        }
        for name in &named.lists {
            computed.push(members(PROFILES, hidden::list(name), self.on_list(name)?));
        }
        for name in &named.audiences {
            computed.push(members(PROFILES, hidden::audience(name), self.audience(name, as_of, path)?));
        }
        for name in &named.variables {
            let content = Content::Values(self.values(name, as_of, path)?);
            computed.push(Computed { table: PROFILES.to_owned(), column: (*name).to_owned(), content });
        }
        for (score, column) in &named.scores {
            let content = Content::Values(self.score_column((score, column), as_of, path)?);
            computed.push(Computed { table: PROFILES.to_owned(), column: hidden::score(score, column), content });
        }
        Ok(computed)
    }

    /// What the variable `name` is for each profile as of an instant.
    fn values(&self, name: &str, as_of: Timestamp, path: &mut Vec<Item>) -> Result<Arc<Values>, Error> {
        let variable = self.variable(name)?;
        if let Some(known) = self.known_values(name, as_of) {
            return Ok(known);
        }
        let values = self.waiting(variable.item(), path, |path| {
            let resolved = resolve_variable(&variable.definition, self.names(), as_of)?;
            let evaluation = self.whole_evaluation(&resolved, path)?;
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
        let evaluation = self.whole_evaluation(&resolved, &mut Vec::new())?;
        let values = self.engine().values(&resolved, &evaluation)?;
        let no_column = || Error::NoColumn { name: definition.name.clone(), found: values.data_type().to_string() };
        crate::variable::held(values.data_type()).ok_or_else(no_column)
    }

    /// Instants have the workspace's zone inside the engine.
    pub(crate) fn in_the_engine(&self, holds: ColumnType) -> DataType {
        match holds {
            ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some(self.names().zone.name().into())),
            other => other.arrow(),
        }
    }
}

/// What is computed for a query, by name.
#[derive(Default)]
struct Named<'n> {
    segments: Vec<&'n str>,
    lists: Vec<&'n str>,
    audiences: Vec<&'n str>,
    variables: Vec<&'n str>,
    scores: Vec<(&'n str, &'n str)>,
}

impl<'n> Named<'n> {
    fn by(query: &'n ResolvedQuery) -> Self {
        let of = |names: &'n [String]| names.iter().map(String::as_str).collect();
        Self {
            segments: of(&query.segments_used),
            lists: of(&query.lists_used),
            audiences: of(&query.audiences_used),
            variables: of(&query.variables_used),
            scores: query.scores_used.iter().map(|(score, column)| (score.as_str(), column.as_str())).collect(),
        }
    }
}

fn members(table: &str, column: String, rows: Arc<RowSet>) -> Computed {
    Computed { table: table.to_owned(), column, content: Content::Members(rows) }
}
