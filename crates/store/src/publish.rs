//! Making the next snapshot: table by table, parents first; then one commit makes it true.
//!
//! A table that nothing touches stays. One of which few rows change is edited ([`crate::edit`]): its blocks stay, too. Else
//! it is made anew. Blocks whose overlay has grown are folded ([`crate::fold`]).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_array::cast::AsArray;
use arrow_array::{Array, StringViewArray, UInt32Array};
use arrow_select::take::take;
use hashbrown::{HashMap, HashSet};
use muster_catalog::{Catalog, Kind, MissingParent, Mode, ProfileId, Table, Timestamp};
use muster_state::Tx;

use crate::catalogue::{self, FileKind, FileRecord, Kept, Manifest, ManifestTable, SourceRecord};
use crate::changes::{self, Source, Telling};
use crate::column::absent;
use crate::edit::{EditedTable, Moves, Task, Whereto, bare_rows, edit, with_columns};
use crate::files::Folder;
use crate::incoming::{Incoming, TableInput, declared_columns, grown_schema, in_order};
use crate::layout::{Placed, lay_out};
use crate::merge::{Meeting, Merged, Rows, merge};
use crate::overlay::{Extra, Parent};
use crate::owner::Settled;
use crate::places::{Looking, Spot, Wanted, locate};
use crate::published::{PublishedTable, Shared};
use crate::report::{PublishReport, Refusal, TableCounts};
use crate::schema::TableSchema;
use crate::write::{Arrangement, write_extras, write_table};
use crate::{Error, Snapshot, Upkeep, fold, owner};

/// A snapshot whose files are on disk and which no commit has made true yet. Dropped, it is garbage for the next
/// [`crate::Store::collect_garbage`].
#[derive(Debug)]
pub struct Prepared {
    snapshot: Arc<Snapshot>,
    kept: Kept,
    fresh: Vec<FileRecord>,
    before: u64,
    report: PublishReport,
    writing: Duration,
}

impl Prepared {
    /// A snapshot of files that are there already.
    pub(crate) fn again(folder: &Folder, kept: Kept, before: u64) -> Self {
        let snapshot = Arc::new(Snapshot::open(folder, kept.clone(), None));
        Self { snapshot, kept, fresh: Vec::new(), before, report: PublishReport::default(), writing: Duration::ZERO }
    }

    /// What the publish did.
    pub fn report(&self) -> &PublishReport {
        &self.report
    }

    /// How long it took to make the files, encoding included.
    pub fn writing(&self) -> Duration {
        self.writing
    }

    /// The snapshot, readable already.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Names the files in the catalogue, with what was loaded: true from the commit of `tx` on.
    ///
    /// # Errors
    /// If the catalogue cannot be written.
    pub fn commit(&self, tx: &Tx<'_>, report: &str, sources: &[SourceRecord]) -> Result<(), Error> {
        self.commit_files(tx)?;
        catalogue::record_load(tx, self.kept.number, self.before, self.kept.at, report, sources)
    }

    /// Names the files in the catalogue, without a load: for what changes nothing, or takes something back.
    pub(crate) fn commit_files(&self, tx: &Tx<'_>) -> Result<(), Error> {
        catalogue::commit(tx, &self.kept, &self.fresh)
    }
}

/// A snapshot in the making.
pub(crate) struct Making<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) folder: &'a Folder,
    pub(crate) upkeep: Upkeep,
    pub(crate) before: Option<&'a Snapshot>,
    pub(crate) number: u64,
    pub(crate) at: Timestamp,
    incoming: &'a mut dyn Incoming,
    /// Rows that were asked for before it was their turn.
    early: BTreeMap<String, Option<TableInput>>,
    pub(crate) tables: Vec<Arc<PublishedTable>>,
    moves: BTreeMap<String, Moves>,
    remade: HashSet<String>,
    /// Where the rows of parents stand, once somebody asked.
    placed: HashMap<String, Placed>,
    /// Whether nothing may be written: then whatever comes is an edit, and keys are looked up often.
    in_memory: bool,
    pub(crate) fresh: Vec<FileRecord>,
    report: PublishReport,
    writing: Duration,
}

impl<'a> Making<'a> {
    pub(crate) fn new(
        (catalog, folder, upkeep): (&'a Catalog, &'a Folder, Upkeep),
        before: Option<&'a Snapshot>,
        (number, at): (u64, Timestamp),
        incoming: &'a mut dyn Incoming,
    ) -> Self {
        Self {
            catalog,
            folder,
            upkeep,
            before,
            number,
            at,
            incoming,
            early: BTreeMap::new(),
            tables: Vec::new(),
            moves: BTreeMap::new(),
            remade: HashSet::new(),
            placed: HashMap::new(),
            in_memory: false,
            fresh: Vec::new(),
            report: PublishReport::default(),
            writing: Duration::ZERO,
        }
    }

    /// Every table as it will be, nothing of it on disk: whatever comes is an edit.
    pub(crate) fn make_in_memory(&mut self) -> Result<(), Error> {
        self.in_memory = true;
        self.make()
    }

    /// Every table as it will be; small changes stand in memory.
    pub(crate) fn make(&mut self) -> Result<(), Error> {
        for table in self.catalog.parents_first() {
            self.table(table)?;
        }
        Ok(())
    }

    /// The snapshot as it stands, for readers of this process.
    pub(crate) fn in_memory(self, applied: i64) -> (Snapshot, PublishReport) {
        let filed = self.before.map_or(0, Snapshot::filed);
        (Snapshot::of((self.number, self.at), applied, filed, self.tables), self.report)
    }

    /// Folds what has grown, writes what stands in memory, and syncs.
    pub(crate) fn prepared(mut self, applied: i64) -> Result<Prepared, Error> {
        let before = self.before.map_or(0, Snapshot::filed);
        let started = Instant::now();
        fold::grown_blocks(&mut self)?;
        let mut manifest = Manifest::default();
        let mut files = Vec::new();
        for table in &self.tables {
            let (records, fresh) = write_extras(self.folder, self.number, table)?;
            self.fresh.extend(fresh);
            manifest.tables.push(table.manifest.clone());
            files.extend(records);
        }
        self.folder.sync()?;
        let kept = Kept { number: self.number, at: self.at, manifest, files, applied };
        let working = Snapshot::of((self.number, self.at), applied, self.number, self.tables);
        let snapshot = Arc::new(Snapshot::open(self.folder, kept.clone(), Some(&working)));
        let writing = self.writing + started.elapsed();
        Ok(Prepared { snapshot, kept, fresh: self.fresh, before, report: self.report, writing })
    }

    fn table(&mut self, table: &Table) -> Result<(), Error> {
        let input = self.input(&table.name)?;
        // Nobody would be on a list whose files were never read, and to leave out whoever is on it would leave out nobody.
        if table.kind == Kind::List && input.is_none() && self.stored(table).is_none() {
            return Ok(());
        }
        if self.may_stay(table, input.as_ref()) {
            return self.keep(table);
        }
        let incoming = input.unwrap_or_else(|| self.nothing_for(table));
        let stored_schema = self.before.and_then(|before| before.schema(&table.name));
        let schema = grown_schema(self.catalog, table, stored_schema, &incoming)?;
        let (incoming, file_ends) = in_order(&schema, incoming)?;
        let Settled { incoming, kept } = owner::settled(table, &schema, self.before, incoming, self.telling(table))?;
        let stored = self.stored_rows(table);
        check_count(&schema, stored + incoming.count as u64)?;
        match self.editable(table, &schema, incoming.count as u64)? {
            Some(before) => self.edit(table, &before, schema, incoming, file_ends)?,
            None => self.remake(table, schema, incoming, &file_ends)?,
        }
        self.report.tables.entry(table.name.clone()).or_default().kept = kept;
        Ok(())
    }

    fn telling(&self, table: &Table) -> Telling {
        Telling::of(table, self.at, if self.in_memory { Source::Rows } else { Source::Load })
    }

    /// How often rows are looked for while this snapshot is made, or after it.
    fn looking(&self) -> Looking {
        if self.in_memory { Looking::Often } else { Looking::Now }
    }

    fn input(&mut self, table: &str) -> Result<Option<TableInput>, Error> {
        match self.early.remove(table) {
            Some(early) => Ok(early),
            None => self.incoming.rows(table).map_err(Error::Incoming),
        }
    }

    fn stored(&self, table: &Table) -> Option<&'a Arc<PublishedTable>> {
        self.before.and_then(|before| before.table(&table.name))
    }

    fn stored_rows(&self, table: &Table) -> u64 {
        self.stored(table).map_or(0, |table| table.row_count() + table.manifest.orphans)
    }

    /// A table stays as it is if nothing comes in, and above it nothing moved or came for an orphan.
    fn may_stay(&self, table: &Table, input: Option<&TableInput>) -> bool {
        let (Some(stored), None) = (self.stored(table), input) else { return false };
        let Some(parent) = table.parent() else { return true };
        if self.remade.contains(parent) && parent != self.catalog.root().name {
            return false;
        }
        let undisturbed = |moves: &Moves| {
            let waits_for_it = moves.new_keys || !moves.deleted_keys.is_empty();
            moves.moved.is_empty() && !(waits_for_it && stored.manifest.orphans > 0)
        };
        self.moves.get(parent).is_none_or(undisturbed)
    }

    fn keep(&mut self, table: &Table) -> Result<(), Error> {
        let stored = self.stored(table).expect("a table that stays is stored");
        let schema = TableSchema::new(self.catalog, table, stored.manifest.schema.columns.clone());
        let below_other = table.parent().is_some_and(|parent| self.moves.contains_key(parent));
        if schema == stored.manifest.schema && !below_other {
            self.tables.push(Arc::clone(stored));
            return Ok(());
        }
        let mut same = stored.below_other();
        same.manifest.schema = schema;
        self.tables.push(Arc::new(same));
        Ok(())
    }

    /// The table to edit, if what comes is little beside it and its parent's rows are where they were.
    fn editable(
        &self,
        table: &Table,
        schema: &TableSchema,
        incoming: u64,
    ) -> Result<Option<Arc<PublishedTable>>, Error> {
        let stored = self.stored(table);
        if self.in_memory {
            return Ok(Some(stored.map_or_else(|| self.without_rows(schema), Arc::clone)));
        }
        let parent = table.parent().filter(|parent| *parent != self.catalog.root().name);
        if table.kind.is_beside_the_tree() || parent.is_some_and(|parent| self.remade.contains(parent)) {
            return Ok(None);
        }
        // Files refer to places in the files above. Where rows above stand beside their files, rows below must, too,
        // however many they are.
        if let Some(parent) = parent
            && !self.made(parent).overlay()?.is_empty()
        {
            return Ok(Some(stored.map_or_else(|| self.without_rows(schema), Arc::clone)));
        }
        let is_little = |stored: &PublishedTable| {
            self.upkeep.is_little(incoming + stored.manifest.overlay_rows, stored.row_count())
        };
        Ok(stored.filter(|stored| table.mode != Mode::Replace && is_little(stored)).map(Arc::clone))
    }

    fn without_rows(&self, schema: &TableSchema) -> Arc<PublishedTable> {
        let manifest = ManifestTable::without_rows(schema.clone());
        Arc::new(PublishedTable::open(self.folder, manifest, Vec::new(), &Shared(None)))
    }

    fn edit(
        &mut self,
        table: &Table,
        before: &Arc<PublishedTable>,
        schema: TableSchema,
        incoming: Rows,
        file_ends: Vec<usize>,
    ) -> Result<(), Error> {
        let bare = self.bare_keys(table, &schema, &incoming)?;
        let none = Moves::default();
        let parent = table.parent().map(|parent| {
            let made = self.made(parent);
            (made.as_ref(), self.moves.get(parent).unwrap_or(&none))
        });
        let snapshot = self.before.expect("an edited table is stored");
        let task = Task {
            table,
            schema,
            before,
            snapshot,
            incoming,
            file_ends,
            parent,
            bare,
            meeting: meeting(table.mode),
            number: self.number,
            telling: self.telling(table),
            looking: self.looking(),
        };
        let EditedTable { table: made, moves, counts, refusals } = edit(task)?;
        self.tables.push(Arc::new(made));
        self.finish(table, moves, counts, refusals);
        Ok(())
    }

    fn finish(&mut self, table: &Table, moves: Moves, counts: TableCounts, mut refusals: Vec<Refusal>) {
        self.moves.insert(table.name.clone(), moves);
        self.report.tables.insert(table.name.clone(), counts);
        self.report.refusals.append(&mut refusals);
    }

    /// The table as it will be; parents are made before their children.
    fn made(&self, name: &str) -> &Arc<PublishedTable> {
        let made = self.tables.iter().find(|made| made.name() == name);
        made.expect("parents come before their children")
    }

    fn remake(&mut self, table: &Table, schema: TableSchema, incoming: Rows, ends: &[usize]) -> Result<(), Error> {
        let stored = self.before.map_or_else(|| Ok(Rows::default()), |before| before.rows(&table.name))?;
        let stored = if stored.columns.is_empty() { Rows::none(&schema) } else { with_columns(stored, &schema) };
        let incoming_count = incoming.count as u64;
        let bare = self.bare_keys(table, &schema, &incoming)?;
        let mut merged = merge(&schema, stored, incoming, ends, meeting(table.mode))?;
        let mut counts = TableCounts { incoming: incoming_count, ..std::mem::take(&mut merged.counts) };
        let mut refusals = std::mem::take(&mut merged.refusals);
        let change = changes::entries(self.stored(table).map(AsRef::as_ref), &schema, &merged, self.telling(table))?;
        let mut moves = self.moves_of_remade(&schema, &merged);
        let mut rows = if schema.kind == Kind::Root { with_tombstones(merged)? } else { merged.into_rows()? };
        if !bare.is_empty() {
            counts.created = bare.len() as u64;
            rows = Rows::joined(vec![rows, bare_rows(&schema, &bare)])?;
        }
        let arrangement = self.arrange(table, &schema, &rows, &mut counts, &mut refusals, &mut moves)?;
        let started = Instant::now();
        let waiting = rows.take(arrangement.orphans.iter().copied())?;
        // What is written stands in the parent: the texts of millions of rows need not stay while files are made.
        if let Some(on) = schema.on_position() {
            rows.columns[on] = absent(schema.columns[on].column_type, 0);
        }
        let written = write_table(self.folder, self.number, self.before, &schema, (&rows, &waiting), &arrangement)?;
        self.writing += started.elapsed();
        if self.catalog.tables.iter().any(|child| child.parent() == Some(&table.name)) {
            self.placed.insert(table.name.clone(), arrangement.placed(&schema, &rows)?);
        }
        drop(rows);
        self.fresh.extend(written.files.iter().cloned());
        let telling = self.telling(table);
        let change = changes::with_deleted(self.stored(table).map(AsRef::as_ref), &schema, change, &moves, telling)?;
        let made = self.published(written.manifest, written.files, table, change);
        counts.rows = made.row_count();
        self.tables.push(Arc::new(made));
        self.remade.insert(table.name.clone());
        self.finish(table, moves, counts, refusals);
        Ok(())
    }

    fn published(
        &self,
        manifest: ManifestTable,
        mut files: Vec<FileRecord>,
        table: &Table,
        change: Option<Rows>,
    ) -> PublishedTable {
        let stored = self.stored(table);
        let changes = stored.into_iter().flat_map(|stored| &stored.files);
        files.extend(changes.filter(|file| matches!(file.kind, FileKind::Changes(_))).cloned());
        let mut made = PublishedTable::open(self.folder, manifest, files, &Shared(None));
        let in_memory = stored.into_iter().flat_map(|stored| &stored.changes);
        made.changes.extend(in_memory.filter(|(_, part)| matches!(part.as_ref(), Extra::Memory(_))).cloned());
        made.changes.extend(change.map(|rows| (self.number, Arc::new(Extra::Memory(rows)))));
        made
    }

    /// Profiles keep their places; of other tables every row may stand elsewhere, which is said by the table being remade.
    fn moves_of_remade(&self, schema: &TableSchema, merged: &Merged) -> Moves {
        let mut moves = Moves { new_keys: true, ..Moves::default() };
        if schema.kind == Kind::Root {
            moves.moved = merged.deleted.iter().map(|row| (spot_of(ProfileId(*row)), Whereto::Deleted)).collect();
        }
        moves.delete_keys(schema, &merged.rows, merged.deleted.iter().copied());
        moves
    }

    /// A table without input is what is stored; one that never had any has its declared columns and no rows.
    fn nothing_for(&self, table: &Table) -> TableInput {
        let stored = self.before.and_then(|before| before.schema(&table.name));
        let columns = stored.map_or_else(|| declared_columns(table), |stored| stored.columns.clone());
        TableInput { table: table.name.clone(), columns, batches: Vec::new() }
    }

    /// Keys of profiles that rows of `missing_parent = "create"` tables name and nobody has.
    fn bare_keys(&mut self, table: &Table, schema: &TableSchema, incoming: &Rows) -> Result<Vec<String>, Error> {
        if table.kind != Kind::Root {
            return Ok(Vec::new());
        }
        let named = self.named_keys()?;
        if named.is_empty() {
            return Ok(named);
        }
        let key = schema.key_position().expect("the root has a key");
        let coming = Wanted::of(incoming.columns[key].as_string_view());
        let texts = StringViewArray::from_iter_values(&named);
        let wanted = Wanted::of(&texts);
        let stored = self
            .stored(table)
            .map_or_else(|| Ok(Default::default()), |stored| locate(stored, &wanted, self.looking()))?;
        let unknown = |row: u32| {
            let is_stored = || wanted.find(&texts, row).is_some_and(|number| stored.contains_key(&number));
            coming.find(&texts, row).is_none() && !is_stored()
        };
        Ok((0..).zip(named).filter(|(row, _)| unknown(*row)).map(|(_, key)| key).collect())
    }

    /// The distinct parents' keys that are named by rows whose table makes missing parents, in order of first mention.
    fn named_keys(&mut self) -> Result<Vec<String>, Error> {
        let root = &self.catalog.root().name;
        let creating = self
            .catalog
            .tables
            .iter()
            .filter(|table| table.missing_parent == MissingParent::Create && table.parent() == Some(root));
        let mut seen = HashSet::new();
        let mut named = Vec::new();
        for table in creating {
            let input = self.input(&table.name)?;
            for batch in input.iter().flat_map(|input| &input.batches) {
                let on = table.on().and_then(|on| batch.rows.column_by_name(on));
                for key in on.into_iter().flat_map(|on| on.as_string_view().iter().flatten()) {
                    if seen.insert(key.to_owned()) {
                        named.push(key.to_owned());
                    }
                }
            }
            self.early.insert(table.name.clone(), input);
        }
        Ok(named)
    }

    fn arrange(
        &mut self,
        table: &Table,
        schema: &TableSchema,
        rows: &Rows,
        counts: &mut TableCounts,
        refusals: &mut Vec<Refusal>,
        moves: &mut Moves,
    ) -> Result<Arrangement, Error> {
        let Some(parent) = table.parent() else { return Ok(Arrangement::of_roots(schema, rows)) };
        if !self.placed.contains_key(parent) {
            self.placed.insert(parent.to_owned(), self.placed_as_filed(parent)?);
        }
        let placed = &self.placed[parent];
        let mut layout = lay_out(schema, rows, placed)?;
        let (gone, waiting) = self.without_deleted_parents(table, schema, rows, layout.orphans);
        moves.delete_keys(schema, rows, gone.iter().copied());
        counts.deleted += gone.len() as u64;
        layout.orphans = waiting;
        if table.missing_parent == MissingParent::Reject {
            let keys = schema.on_position().map(|on| rows.columns[on].as_string_view());
            let refused = std::mem::take(&mut layout.orphans);
            counts.refused += refused.len() as u64;
            counts.new = counts.new.saturating_sub(refused.len() as u64);
            let key = |row: &u32| keys.map_or("", |keys| keys.value(*row as usize));
            refusals.extend(refused.iter().map(|row| Refusal::missing_parent(schema, key(row))));
        }
        counts.orphans = layout.orphans.len() as u64;
        Ok(Arrangement::below(layout, placed))
    }

    /// Rows whose parent this load deletes go with it; the others wait.
    fn without_deleted_parents(
        &self,
        table: &Table,
        schema: &TableSchema,
        rows: &Rows,
        orphans: Vec<u32>,
    ) -> (Vec<u32>, Vec<u32>) {
        let moves = table.parent().and_then(|parent| self.moves.get(parent));
        let (Some(moves), Some(on)) = (moves, schema.on_position()) else { return (Vec::new(), orphans) };
        let keys = rows.columns[on].as_string_view();
        let deleted =
            |row: &u32| keys.is_valid(*row as usize) && moves.deleted_keys.contains(keys.value(*row as usize));
        orphans.into_iter().partition(deleted)
    }

    /// Where the rows of a table that was not remade stand.
    fn placed_as_filed(&self, name: &str) -> Result<Placed, Error> {
        let made = self.made(name);
        let schema = &made.manifest.schema;
        let key = schema.key.as_deref().expect("a parent has a key");
        let view = Snapshot::of((self.number, self.at), 0, 0, self.tables.clone());
        let mut keys = Vec::new();
        let mut blocks = Vec::new();
        for block in 0..made.blocks.len() {
            let column = view.own_column(made, block, key)?;
            keys.push(Rows { count: column.len(), columns: vec![column] });
            let places = view.places(name, block);
            blocks.push(places.start as u32..places.end as u32);
        }
        let keys = Rows::joined(keys)?;
        let keys =
            keys.columns.first().map_or_else(|| StringViewArray::new_null(0), |keys| keys.as_string_view().clone());
        Ok(Placed { keys: Some(keys), blocks })
    }
}

fn meeting(mode: Mode) -> Meeting {
    match mode {
        Mode::Merge => Meeting::Merge,
        Mode::Replace => Meeting::Replace,
        Mode::ReplaceByParent => Meeting::ReplaceByParent,
    }
}

fn spot_of(profile: ProfileId) -> Spot {
    Spot { block: profile.block() as usize, at: Parent::Base(profile.within_block()) }
}

/// The profiles that stand in their places, deleted ones as places without a row, new ones behind.
fn with_tombstones(merged: Merged) -> Result<Rows, Error> {
    if merged.deleted.is_empty() {
        return Ok(merged.into_rows()?);
    }
    let mut places: Vec<Option<u32>> = vec![None; merged.stored];
    for (row, stored) in merged.standing.iter() {
        match stored {
            Some(place) => places[place as usize] = Some(row),
            None => places.push(Some(row)),
        }
    }
    let count = places.len();
    let places = UInt32Array::from(places);
    let columns = merged.rows.columns.iter().map(|column| take(column, &places, None)).collect::<Result<_, _>>()?;
    Ok(Rows { columns, count })
}

fn check_count(schema: &TableSchema, rows: u64) -> Result<(), Error> {
    // Places and rows that came share the numbers below the last 16 million.
    let most = u64::from(u32::MAX) - (1 << 24);
    if rows < most { Ok(()) } else { Err(Error::TooManyRows { table: schema.name.clone(), rows }) }
}
