//! The columns that rows of a table may have.

use muster_catalog::{ColumnNames, Table, Verdict, nearest};
use muster_ingest::TableLoad;
use muster_server::Refusal;
use muster_store::Snapshot;

/// What rows of a table may have.
pub struct Columns {
    /// As declared, but that no number of bad rows is too many, for each is answered, and that nothing asks for a file.
    pub table: Table,
    /// The columns of an earlier load.
    pub known: Vec<ColumnNames>,
    /// The names in rows: what muster.toml or an earlier load knows.
    pub names: Vec<String>,
}

impl Columns {
    /// The columns of `table` after what was loaded before.
    pub fn of(table: &Table, before: Option<&Snapshot>) -> Self {
        let stored = before.and_then(|snapshot| snapshot.schema(&table.name));
        let known = stored.map(|schema| schema.names().columns).unwrap_or_default();
        let names = names(table, &known);
        let table = Table { error_budget: Some(u64::MAX), sources: Vec::new(), ..table.clone() };
        Self { table, known, names }
    }

    /// Whether nobody has said what rows look like: nothing is declared, and nothing was loaded.
    pub fn are_unknown(&self) -> bool {
        self.table.columns.is_empty() && self.known.is_empty()
    }

    /// The condition that leaves out the line that only names the columns; none where it is rejected for its key.
    pub fn names_fail_at(&self) -> Option<usize> {
        self.table.conditions.iter().position(|condition| condition.verdict(None) == Verdict::Fails)
    }

    /// A name that neither muster.toml nor an earlier load knows may be a slip, and would become a column for ever.
    ///
    /// # Errors
    /// The first such name.
    pub fn refuse_unknown(&self, load: &TableLoad) -> Result<(), Refusal> {
        let ours = |name: &str| {
            let structural = [self.table.key.as_deref(), self.table.on(), self.table.time.as_deref()];
            self.known.iter().any(|known| known.name == name)
                || self.table.column(name).is_some()
                || structural.contains(&Some(name))
        };
        let ignored = load.report.ignored.iter().map(|(name, _)| name.as_str());
        let loaded = load.columns.iter().map(|column| column.name.as_str()).filter(|name| !ours(name));
        let Some(stranger) = loaded.chain(ignored).next() else { return Ok(()) };
        let near = nearest(stranger, self.names.iter().map(String::as_str));
        let hint = near.map(|near| format!("did you mean `{near}`?"));
        Err(Refusal { message: format!("`{}` has no column `{stranger}`", self.table.name), hint })
    }
}

/// Columns that are made of others do not stand in rows; what they are made of does.
fn names(table: &Table, known: &[ColumnNames]) -> Vec<String> {
    let combined: Vec<&str> = table.combined().into_iter().map(|(name, _)| name).collect();
    let stored = known.iter().map(|column| column.name.as_str());
    let structural = table.key_parts.iter().chain(&table.on_parts).map(String::as_str);
    let instants = [&table.time, &table.updated_at, &table.created_at, &table.deleted].into_iter().flatten();
    let plain = stored.chain(structural).chain(instants.map(String::as_str));
    let plain = plain.filter(|name| table.column(name).is_none() && !combined.contains(name));
    let declared = table.columns.iter().map(|column| column.from.as_str());
    let asked = table.conditions.iter().map(|condition| condition.column.as_str());
    declared.chain(plain).chain(asked).map(str::to_owned).collect()
}
