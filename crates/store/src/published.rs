//! One table of a snapshot: its blocks, what came and went since, its texts, its waiting rows.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringViewArray, UInt32Array};
use arrow_select::concat::concat;
use arrow_select::take::take;
use hashbrown::HashMap;
use muster_catalog::Kind;

use crate::Error;
use crate::block::{BlockTable, at_border, is_coded, packed};
use crate::catalogue::{FileKind, FileRecord, ManifestTable};
use crate::column::ColumnData;
use crate::dictionary::encode_known;
use crate::files::{ColumnFile, Folder};
use crate::merge::Rows;
use crate::overlay::{Edits, Extra, NONE, Overlay, Parent, Run, Standing, Translation, read_places};
use crate::splice::{splice, spliced};

/// One table of a snapshot.
#[derive(Debug)]
pub(crate) struct PublishedTable {
    pub(crate) manifest: ManifestTable,
    pub(crate) files: Vec<FileRecord>,
    /// What the files of the blocks hold, where there is one.
    pub(crate) blocks: Vec<Option<Arc<BlockTable>>>,
    /// For each block the number of its first row, and one more for the end.
    pub(crate) first_rows: Vec<i64>,
    texts: HashMap<usize, Arc<Texts>>,
    extended: Vec<OnceLock<Option<Arc<StringViewArray>>>>,
    places: Option<Arc<ColumnFile>>,
    pub(crate) came: Vec<Arc<Extra>>,
    overlay: OnceLock<Arc<Overlay>>,
    merged: Vec<Arc<Merged>>,
    parents: Vec<OnceLock<UInt32Array>>,
    offsets: Vec<OnceLock<Arc<[u32]>>>,
    /// Rows that wait for their parent.
    orphans: Option<Arc<Extra>>,
    /// What keyed rows were before, oldest first, by the snapshot that changed them.
    pub(crate) changes: Vec<(u64, Arc<Extra>)>,
}

/// What an edit makes of a table.
pub(crate) struct Edited {
    pub(crate) manifest: ManifestTable,
    pub(crate) overlay: Overlay,
    /// The rows that wait now; `None` where they are the same as before.
    pub(crate) orphans: Option<Arc<Extra>>,
    /// What keyed rows were before, with the number of the snapshot that changes them.
    pub(crate) change: Option<(u64, Extra)>,
}

/// What of a table is not on disk yet.
pub(crate) struct Unwritten<'a> {
    pub(crate) came: Vec<&'a Arc<Extra>>,
    pub(crate) places: bool,
    pub(crate) orphans: Option<&'a Arc<Extra>>,
    pub(crate) changes: Vec<&'a (u64, Arc<Extra>)>,
}

impl Unwritten<'_> {
    /// How many rows that are.
    pub(crate) fn rows(&self) -> u64 {
        let changes = self.changes.iter().map(|(_, part)| part);
        self.came.iter().copied().chain(self.orphans).chain(changes).map(|part| part.rows() as u64).sum()
    }
}

/// The texts of a coded column.
#[derive(Debug)]
struct Texts {
    file: ColumnFile,
    texts: OnceLock<Arc<StringViewArray>>,
}

/// A block with its overlay, column by column as it is asked for.
#[derive(Debug, Default)]
struct Merged {
    columns: Vec<OnceLock<Arc<ColumnData>>>,
    runs: OnceLock<Vec<Run>>,
    order: OnceLock<UInt32Array>,
    translation: OnceLock<Arc<Translation>>,
}

/// What the tables of two snapshots may have in common.
pub(crate) struct Shared<'a>(pub(crate) Option<&'a PublishedTable>);

impl Shared<'_> {
    /// The block of this file, if the other table has it.
    fn block(&self, block: usize, file: &FileRecord) -> Option<Arc<BlockTable>> {
        let table = self.0?;
        table.files.iter().find(|known| known.kind == FileKind::Block(block) && known.file.name == file.file.name)?;
        table.blocks.get(block)?.clone()
    }

    fn texts(&self, column: usize, file: &FileRecord) -> Option<Arc<Texts>> {
        let table = self.0?;
        table
            .files
            .iter()
            .find(|known| known.kind == FileKind::Dictionary(column) && known.file.name == file.file.name)?;
        table.texts.get(&column).cloned()
    }
}

impl PublishedTable {
    /// The table that these files make; what `shared` has read of them is not read again.
    pub(crate) fn open(
        folder: &Folder,
        manifest: ManifestTable,
        mut files: Vec<FileRecord>,
        shared: &Shared<'_>,
    ) -> Self {
        files.sort_by_key(|record| record.kind);
        let columns = manifest.schema.columns.len();
        let count = manifest.block_rows.len().max(manifest.final_rows.len());
        let mut table = Self {
            blocks: vec![None; count],
            first_rows: first_rows(manifest.rows()),
            texts: HashMap::new(),
            extended: std::iter::repeat_with(OnceLock::new).take(columns).collect(),
            places: None,
            came: Vec::new(),
            overlay: OnceLock::new(),
            merged: (0..count).map(|_| Arc::new(Merged::of(columns))).collect(),
            parents: std::iter::repeat_with(OnceLock::new).take(count).collect(),
            offsets: std::iter::repeat_with(OnceLock::new).take(count).collect(),
            orphans: None,
            changes: Vec::new(),
            files: Vec::new(),
            manifest,
        };
        for record in &files {
            let file = || ColumnFile::new(folder, record.file.clone());
            match record.kind {
                FileKind::Block(block) => {
                    let known = shared.block(block, record);
                    table.blocks[block] = Some(known.unwrap_or_else(|| Arc::new(BlockTable::new(file(), columns))));
                }
                FileKind::Dictionary(column) => {
                    let fresh = || Arc::new(Texts { file: file(), texts: OnceLock::new() });
                    table.texts.insert(column, shared.texts(column, record).unwrap_or_else(fresh));
                }
                FileKind::Orphans => table.orphans = Some(Arc::new(Extra::File(file()))),
                FileKind::Came(_) => table.came.push(Arc::new(Extra::File(file()))),
                FileKind::Places => table.places = Some(Arc::new(file())),
                FileKind::Changes(snapshot) => table.changes.push((snapshot, Arc::new(Extra::File(file())))),
            }
        }
        table.files = files;
        table
    }

    /// The same table after an edit, which stands in memory until it is written.
    pub(crate) fn edited(&self, edited: Edited) -> Self {
        let Edited { manifest, overlay, orphans, change } = edited;
        let columns = manifest.schema.columns.len();
        let count = manifest.rows().len();
        let mut blocks = self.blocks.clone();
        blocks.resize(count, None);
        let changes = self.changes.iter().cloned().chain(change.map(|(number, rows)| (number, Arc::new(rows))));
        // Rows that came later are numbered from none again: behind those of a file that stayed they would be others.
        let forgotten = |record: &&FileRecord| matches!(record.kind, FileKind::Came(_) | FileKind::Places);
        let files = self.files.iter().filter(|record| !(overlay.is_empty() && forgotten(record)));
        Self {
            files: files.cloned().collect(),
            first_rows: first_rows(manifest.rows()),
            blocks,
            texts: self.texts.clone(),
            extended: std::iter::repeat_with(OnceLock::new).take(columns).collect(),
            places: None,
            came: overlay.parts.clone(),
            overlay: OnceLock::from(Arc::new(overlay)),
            merged: (0..count).map(|_| Arc::new(Merged::of(columns))).collect(),
            parents: std::iter::repeat_with(OnceLock::new).take(count).collect(),
            offsets: std::iter::repeat_with(OnceLock::new).take(count).collect(),
            orphans: orphans.or_else(|| self.orphans.clone()),
            changes: changes.collect(),
            manifest,
        }
    }

    /// The same table below a parent of which rows stand elsewhere now.
    pub(crate) fn below_other(&self) -> Self {
        Self {
            manifest: self.manifest.clone(),
            files: self.files.clone(),
            blocks: self.blocks.clone(),
            first_rows: self.first_rows.clone(),
            texts: self.texts.clone(),
            extended: self.extended.clone(),
            places: self.places.clone(),
            came: self.came.clone(),
            overlay: self.overlay.clone(),
            merged: self.merged.clone(),
            parents: std::iter::repeat_with(OnceLock::new).take(self.parents.len()).collect(),
            offsets: std::iter::repeat_with(OnceLock::new).take(self.parents.len()).collect(),
            orphans: self.orphans.clone(),
            changes: self.changes.clone(),
        }
    }

    /// The same files with this overlay, and what `other` has beside its blocks.
    pub(crate) fn with_extras_of(self, other: &Self, overlay: Overlay) -> Self {
        Self {
            came: overlay.parts.clone(),
            places: None,
            overlay: OnceLock::from(Arc::new(overlay)),
            orphans: other.orphans.clone(),
            changes: other.changes.clone(),
            ..self
        }
    }

    /// Whether every row stands where the files of the blocks have it, as far as that is known without reading.
    pub(crate) fn stands_as_filed(&self) -> bool {
        self.overlay.get().map_or(self.places.is_none(), |overlay| overlay.is_empty())
    }

    /// What of it stands in memory only.
    pub(crate) fn unwritten(&self) -> Unwritten<'_> {
        let memory = |extra: &&Arc<Extra>| matches!(extra.as_ref(), Extra::Memory(_));
        Unwritten {
            came: self.came.iter().filter(memory).collect(),
            places: self.places.is_none() && !self.stands_as_filed(),
            orphans: self.orphans.as_ref().filter(memory),
            changes: self.changes.iter().filter(|(_, extra)| memory(&extra)).collect(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.manifest.schema.name
    }

    /// How many rows it has that are not deleted.
    pub(crate) fn row_count(&self) -> u64 {
        let dead: u64 = self.manifest.tombstones.iter().map(|count| u64::from(*count)).sum();
        self.manifest.rows().iter().map(|rows| u64::from(*rows)).sum::<u64>() - dead
    }

    /// The rows of a block's file.
    pub(crate) fn base_rows(&self, block: usize) -> u32 {
        self.blocks.get(block).and_then(Option::as_ref).map_or(0, |block| block.rows() as u32)
    }

    /// The places that a block has, those of deleted profiles among them.
    pub(crate) fn rows_in(&self, block: usize) -> usize {
        self.manifest.rows().get(block).map_or(0, |rows| *rows as usize)
    }

    pub(crate) fn tombstones_in(&self, block: usize) -> u32 {
        self.manifest.tombstones.get(block).copied().unwrap_or(0)
    }

    /// What came and went.
    pub(crate) fn overlay(&self) -> Result<&Arc<Overlay>, Error> {
        if let Some(known) = self.overlay.get() {
            return Ok(known);
        }
        let edits = self.places.as_ref().map_or_else(|| Ok(BTreeMap::new()), |places| read_places(places))?;
        let overlay = Overlay::new(self.came.clone(), edits, self.manifest.schema.columns.len());
        Ok(self.overlay.get_or_init(|| Arc::new(overlay)))
    }

    pub(crate) fn edits(&self, block: usize) -> Result<Option<&Arc<Edits>>, Error> {
        Ok(self.overlay()?.edits.get(&block))
    }

    /// The rows that came into a block, by what others call them; [`NONE`] where a profile was deleted.
    pub(crate) fn came_at(&self, block: usize) -> Result<HashMap<Parent, u32>, Error> {
        let edits = self.edits(block)?;
        Ok(edits.into_iter().flat_map(|edits| &edits.came).map(|came| (came.called(), came.row)).collect())
    }

    /// The values of a column in a block, in the order in which its rows stand; `None` for a block without rows.
    pub(crate) fn column(&self, block: usize, place: usize) -> Result<Option<Arc<ColumnData>>, Error> {
        let column = &self.manifest.schema.columns[place];
        let Some(edits) = self.edits(block)? else {
            let Some(base) = &self.blocks[block] else { return Ok(None) };
            return base.column(place, column, self.dictionary(place)?.as_ref()).map(Some);
        };
        let kept = &self.merged[block].columns[place];
        if let Some(known) = kept.get() {
            return Ok(Some(Arc::clone(known)));
        }
        let merged = Arc::new(self.merged_column(block, place, edits)?);
        Ok(Some(Arc::clone(kept.get_or_init(|| merged))))
    }

    /// A column of a block in which rows came or went.
    fn merged_column(&self, block: usize, place: usize, edits: &Edits) -> Result<ColumnData, Error> {
        let column = &self.manifest.schema.columns[place];
        let (dictionary, came) = (self.dictionary(place)?, self.came_column(edits, place)?);
        let Some(base) = &self.blocks[block] else {
            let came = take(&came, self.order(block)?, None)?;
            return packed(column.column_type, came, dictionary.as_ref());
        };
        // What is read for this is kept: the next snapshot, a few rows later, is put together from it, too.
        let base = base.column(place, column, dictionary.as_ref())?;
        let came = self.coded_like(&base, came, place)?;
        if let Some(spliced) = spliced(&base, &came, dictionary.as_ref(), self.runs(block, edits)) {
            return Ok(spliced);
        }
        let base = at_border(base.stored()?, column.column_type, is_coded(&came))?;
        let merged = take(&concat(&[base.as_ref(), came.as_ref()])?, self.order(block)?, None)?;
        packed(column.column_type, merged, dictionary.as_ref())
    }

    /// What stands together in a block with an overlay.
    fn runs(&self, block: usize, edits: &Edits) -> &[Run] {
        self.merged[block].runs.get_or_init(|| edits.runs(self.base_rows(block)))
    }

    /// The rows that came into a block, in their order; nothing where a profile was deleted.
    fn came_column(&self, edits: &Edits, place: usize) -> Result<ArrayRef, Error> {
        let all = self.overlay()?.column(place, &self.manifest.schema.columns[place])?;
        let rows: UInt32Array = edits.came.iter().map(|came| Some(came.row).filter(|row| *row != NONE)).collect();
        Ok(take(&all, &rows, None)?)
    }

    /// Texts that came, as codes where the file has codes.
    fn coded_like(&self, base: &ColumnData, came: ArrayRef, place: usize) -> Result<ArrayRef, Error> {
        let is_coded = matches!(base, ColumnData::Codes { .. } | ColumnData::SetCodes { .. });
        match self.dictionary(place)? {
            Some(dictionary) if is_coded => {
                Ok(encode_known(self.manifest.schema.columns[place].column_type, &came, &dictionary)?)
            }
            _ => Ok(came),
        }
    }

    /// For each place of a block with an overlay: the place in the file, or behind them the n-th that came.
    fn order(&self, block: usize) -> Result<&UInt32Array, Error> {
        let kept = &self.merged[block].order;
        if let Some(known) = kept.get() {
            return Ok(known);
        }
        let base = self.base_rows(block);
        let mut order = Vec::with_capacity(self.rows_in(block));
        if let Some(edits) = self.edits(block)? {
            edits.each(base, |standing| {
                order.push(match standing {
                    Standing::Base(place) => place,
                    Standing::Came(number) => base + number,
                });
            });
        }
        Ok(kept.get_or_init(|| order.into()))
    }

    /// Where the rows of a block stand that another table refers to; `None`: where they stand in the file.
    pub(crate) fn translation(&self, block: usize) -> Result<Option<Arc<Translation>>, Error> {
        if self.manifest.schema.kind == Kind::Root {
            return Ok(None);
        }
        let Some(edits) = self.edits(block)? else { return Ok(None) };
        let kept = &self.merged[block].translation;
        Ok(Some(Arc::clone(kept.get_or_init(|| Arc::new(edits.translation(self.base_rows(block)))))))
    }

    /// For each row of a block of a history the place of its parent among those of `parent` in the block.
    pub(crate) fn parents(&self, block: usize, parent: &Self) -> Result<UInt32Array, Error> {
        let translation = parent.translation(block)?;
        let edits = self.edits(block)?;
        let base = self.blocks[block].as_ref().map(|block| block.parents()).transpose()?;
        let (None, None) = (&translation, edits) else {
            let kept = &self.parents[block];
            if let Some(known) = kept.get() {
                return Ok(known.clone());
            }
            let parents = merged_parents(base, edits.map(AsRef::as_ref), translation.as_deref());
            return Ok(kept.get_or_init(|| parents).clone());
        };
        Ok(base.cloned().unwrap_or_else(|| UInt32Array::from(Vec::<u32>::new())))
    }

    /// For each row of `parent` in the block where its rows here begin, and one more for the end.
    pub(crate) fn offsets(&self, block: usize, parent: &Self) -> Result<Arc<[u32]>, Error> {
        if let Some(known) = self.offsets[block].get() {
            return Ok(Arc::clone(known));
        }
        let count = parent.rows_in(block);
        let offsets = match (&self.blocks[block], self.edits(block)?, parent.translation(block)?) {
            (Some(base), Some(edits), None) => moved_offsets(base, edits, count)?,
            _ => counted_up(self.parents(block, parent)?.values(), count),
        };
        Ok(Arc::clone(self.offsets[block].get_or_init(|| offsets)))
    }

    /// The dictionary of the column at `place`, where its blocks have codes: the texts of the files, then those that came.
    pub(crate) fn dictionary(&self, place: usize) -> Result<Option<Arc<StringViewArray>>, Error> {
        let kept = &self.extended[place];
        if let Some(known) = kept.get() {
            return Ok(known.clone());
        }
        let base = self.texts_of_files(place)?;
        let dictionary = match base {
            Some(base) if !self.overlay()?.is_empty() => {
                let column = &self.manifest.schema.columns[place];
                let came = self.overlay()?.column(place, column)?;
                Some(crate::dictionary::extended(column.column_type, &came, &base))
            }
            base => base,
        };
        Ok(kept.get_or_init(|| dictionary).clone())
    }

    /// The texts of a column where its files have codes, and nothing that came since.
    pub(crate) fn texts_of_files(&self, place: usize) -> Result<Option<Arc<StringViewArray>>, Error> {
        self.texts.get(&place).map(|texts| texts.read()).transpose()
    }

    pub(crate) fn has_column(&self, place: usize) -> bool {
        place < self.manifest.schema.columns.len()
    }

    /// The dictionaries that are longer than their files.
    pub(crate) fn grown_dictionaries(&self) -> Result<Vec<(usize, Arc<StringViewArray>)>, Error> {
        let mut grown = Vec::new();
        for (place, texts) in &self.texts {
            let dictionary = self.dictionary(*place)?.expect("a column with texts has a dictionary");
            if dictionary.len() > texts.file.rows() {
                grown.push((*place, dictionary));
            }
        }
        Ok(grown)
    }

    /// The rows that wait for their parent.
    pub(crate) fn orphans(&self) -> Result<Rows, Error> {
        let schema = &self.manifest.schema;
        self.orphans.as_ref().map_or_else(|| Ok(Rows::none(schema)), |waiting| waiting.all(&schema.columns))
    }

    /// Of profiles: whether each place of a block holds one; `None` where all do.
    pub(crate) fn living(&self, block: usize) -> Result<Option<UInt32Array>, Error> {
        let Some(keys) = self.keys_beside_tombstones(block)? else { return Ok(None) };
        let keys = keys.arrow()?;
        Ok(Some((0..keys.len() as u32).filter(|place| keys.is_valid(*place as usize)).collect::<Vec<_>>().into()))
    }

    /// Whether a place of a block holds a row: of the root some may not.
    pub(crate) fn is_living(&self, block: usize, place: usize) -> Result<bool, Error> {
        match self.keys_beside_tombstones(block)? {
            None => Ok(true),
            Some(keys) => Ok(keys.part(place, 1).arrow()?.is_valid(0)),
        }
    }

    /// The keys of a block of the root in which not every place holds a row.
    fn keys_beside_tombstones(&self, block: usize) -> Result<Option<Arc<ColumnData>>, Error> {
        let (Kind::Root, true) = (&self.manifest.schema.kind, self.tombstones_in(block) > 0) else { return Ok(None) };
        self.column(block, self.manifest.schema.key_position().expect("the root has a key"))
    }
}

impl Merged {
    fn of(columns: usize) -> Self {
        Self { columns: std::iter::repeat_with(OnceLock::new).take(columns).collect(), ..Self::default() }
    }
}

impl Texts {
    fn read(&self) -> Result<Arc<StringViewArray>, Error> {
        if let Some(known) = self.texts.get() {
            return Ok(Arc::clone(known));
        }
        let stored = self.file.column(DICTIONARY_COLUMN)?;
        let texts = stored.as_string_view_opt().ok_or_else(|| self.file.damaged("its texts are no texts"))?;
        Ok(Arc::clone(self.texts.get_or_init(|| Arc::new(texts.clone()))))
    }
}

fn merged_parents(base: Option<&UInt32Array>, edits: Option<&Edits>, moved: Option<&Translation>) -> UInt32Array {
    let none = UInt32Array::from(Vec::<u32>::new());
    let base = base.unwrap_or(&none).values();
    let of_base = |place: u32| moved.map_or(place, |moved| moved.place(Parent::Base(place)));
    let Some(edits) = edits else { return base.iter().map(|place| Some(of_base(*place))).collect() };
    let of_came = edits.came.iter().map(|came| match (came.parent, moved) {
        (parent, Some(moved)) => moved.place(parent),
        (Parent::Base(place), None) => place,
        (Parent::Slot(_), None) => NONE,
    });
    let came: Vec<u32> = of_came.collect();
    let runs = edits.runs(base.len() as u32);
    match moved {
        None => splice(base, &came, &runs).into(),
        Some(_) => splice(&base.iter().map(|place| of_base(*place)).collect::<Vec<_>>(), &came, &runs).into(),
    }
}

/// The same for a block in which some rows came and went, below parents that did not move: all others only move on.
fn moved_offsets(base: &BlockTable, edits: &Edits, count: usize) -> Result<Arc<[u32]>, Error> {
    let (parents, before) = (base.parents()?.values(), base.offsets()?);
    let mut more = vec![0_i32; count];
    for place in &edits.gone {
        more[parents[*place as usize] as usize] -= 1;
    }
    for came in &edits.came {
        match came.parent {
            Parent::Base(place) => more[place as usize] += 1,
            Parent::Slot(_) => unreachable!("parents that did not move have places"),
        }
    }
    let (end, mut by) = (before[before.len() - 1], 0);
    let moved = (0..=count).map(|parent| {
        let offset = before.get(parent).copied().unwrap_or(end).wrapping_add_signed(by);
        by += more.get(parent).copied().unwrap_or_default();
        offset
    });
    Ok(moved.collect())
}

/// Where the rows of each parent begin, of rows that stand in order of their parents.
pub(crate) fn counted_up(parents: &[u32], count: usize) -> Arc<[u32]> {
    let mut offsets = vec![0_u32; count + 1];
    parents.iter().for_each(|parent| offsets[*parent as usize + 1] += 1);
    for parent in 0..count {
        offsets[parent + 1] += offsets[parent];
    }
    offsets.into()
}

impl ManifestTable {
    /// The places of each block.
    pub(crate) fn rows(&self) -> &[u32] {
        if self.final_rows.is_empty() { &self.block_rows } else { &self.final_rows }
    }
}

/// Where each block begins, and one more for the end.
fn first_rows(block_rows: &[u32]) -> Vec<i64> {
    let ends = block_rows.iter().scan(0, |end, rows| {
        *end += i64::from(*rows);
        Some(*end)
    });
    std::iter::once(0).chain(ends).collect()
}

/// The only column of a dictionary's file.
pub(crate) const DICTIONARY_COLUMN: &str = "text";
