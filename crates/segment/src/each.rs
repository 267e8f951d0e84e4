//! Definitions that are asked of one profile at a time, for what must be known at once when something happens to somebody.
//!
//! What a definition names is asked of that one profile, too; nobody else is looked at. Who is on a list or in an audience
//! is known already.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use muster_catalog::{ProfileId, Timestamp};
use muster_language::{Query, ResolvedQuery, hidden, resolve_segment, resolve_variable};
use muster_query::{Computed, Content, EachProfile, Evaluation};
use muster_store::SystemColumn;

use crate::evaluator::{Evaluator, PROFILES};
use crate::{Error, Item};

/// What is compiled already, by what it is and as of when.
type Compiled = BTreeMap<(Item, Timestamp), Arc<EachProfile>>;

impl Evaluator<'_> {
    /// A definition, compiled to be asked of one profile at a time, as of an instant.
    ///
    /// # Errors
    /// If it does not resolve, or looks at more than one profile: what chooses among them, queries inside.
    pub fn each_profile(&self, definition: &Query, as_of: Timestamp) -> Result<EachProfile, Error> {
        let resolved = resolve_segment(definition, self.names(), as_of)?;
        self.each(&resolved.query, &mut Vec::new(), &mut Compiled::new())
    }

    /// The same of a question that names nothing which is evaluated of everybody.
    pub(crate) fn each_resolved(&self, query: &ResolvedQuery) -> Result<EachProfile, Error> {
        self.each(query, &mut Vec::new(), &mut Compiled::new())
    }

    fn each(&self, query: &ResolvedQuery, path: &mut Vec<Item>, compiled: &mut Compiled) -> Result<EachProfile, Error> {
        let mut computed = self.known_members(query, path)?;
        for name in &query.segments_used {
            let definition = self.definition(name)?;
            let item = Item::Segment(definition.name.clone());
            let each = self.each_named(item, query.as_of, path, compiled, |path, compiled| {
                let resolved = resolve_segment(&definition.query, self.names(), query.as_of)?;
                self.each(&resolved.query, path, compiled)
            })?;
            computed.push(asked(self.grain(definition), hidden::segment(name), each));
        }
        for name in &query.variables_used {
            let variable = self.variable(name)?;
            let each = self.each_named(variable.item(), query.as_of, path, compiled, |path, compiled| {
                let resolved = resolve_variable(&variable.definition, self.names(), query.as_of)?;
                let each = self.each(&resolved, path, compiled)?;
                Ok(each.as_variable(self.in_the_engine(variable.holds)))
            })?;
            computed.push(asked(PROFILES, name.clone(), each));
        }
        for past in &query.past {
            let each = Arc::new(self.each(&past.rows.query, path, compiled)?);
            computed.push(asked(&past.rows.grain, past.column.clone(), each));
        }
        let (snapshot, zone) = (self.snapshot_as_of(query.as_of)?, self.names().zone);
        let evaluation = Evaluation { snapshot, zone, computed, tables: Vec::new(), masks: self.masks().refusing() };
        Ok(self.engine().each_profile(query, &evaluation)?)
    }

    /// What has a name is compiled once per instant.
    fn each_named(
        &self,
        item: Item,
        as_of: Timestamp,
        path: &mut Vec<Item>,
        compiled: &mut Compiled,
        compile: impl FnOnce(&mut Vec<Item>, &mut Compiled) -> Result<EachProfile, Error>,
    ) -> Result<Arc<EachProfile>, Error> {
        let key = (item.clone(), as_of);
        if let Some(known) = compiled.get(&key) {
            return Ok(Arc::clone(known));
        }
        let each = Arc::new(self.waiting(item, path, |path| compile(path, compiled))?);
        compiled.insert(key, Arc::clone(&each));
        Ok(each)
    }

    /// The profiles with these keys, in their order; `None` where there is none.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn profiles_with_keys(&self, keys: &[String]) -> Result<Vec<Option<ProfileId>>, Error> {
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        keys.iter().enumerate().for_each(|(place, key)| places.entry(key).or_default().push(place));
        let mut found = vec![None; keys.len()];
        let schema = self.snapshot().schema(PROFILES).ok_or(Error::NoData)?;
        let key = schema.key.as_deref().ok_or(Error::NoData)?;
        for block in 0..self.snapshot().block_count(PROFILES) {
            let columns = self.snapshot().scan(PROFILES, block, &[SystemColumn::Row.name(), key])?;
            let rows = columns[0].as_primitive::<Int64Type>().values().iter();
            for (row, key) in rows.zip(columns[1].as_string_view()) {
                for place in key.and_then(|key| places.get(key)).into_iter().flatten() {
                    found[*place] = u32::try_from(*row).ok().map(ProfileId);
                }
            }
        }
        Ok(found)
    }
}

fn asked(table: &str, column: String, each: Arc<EachProfile>) -> Computed {
    Computed { table: table.to_owned(), column, content: Content::Each(each) }
}
