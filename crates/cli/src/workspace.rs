//! A workspace on disk: found, read, and opened for reading or for writing.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};
use muster_campaign::Secret;
use muster_catalog::{Catalog, Clock, FixedClock, Timestamp, parse, parse_local};
use muster_query::{Engine, Limits};
use muster_segment::{Access, KeptInputs, Scoring, Workbench};
use muster_state::{Migration, Mode, Reader, State};
use muster_store::{BLOCKS, Store, Upkeep};

use crate::arguments::Arguments;
use crate::phases::TellingDisk;

/// The file that makes a folder a workspace.
pub const DEFINITION: &str = "muster.toml";

/// A workspace whose definition is in order.
pub struct Workspace {
    /// Its folder.
    pub dir: PathBuf,
    /// What its muster.toml says.
    pub catalog: Catalog,
    /// What `now()` means, where that is not the present.
    pub as_of: Option<Timestamp>,
    /// How scores are computed.
    pub scoring: Scoring,
}

/// The clock on the wall; the only one that ticks.
struct WallClock;

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Whether something changed less than `age` ago, by the clock of the files; what changed in the future is young.
pub fn is_young(changed: SystemTime, age: Duration) -> bool {
    SystemTime::now().duration_since(changed).map_or(true, |since| since < age)
}

impl Workspace {
    /// The workspace that the arguments name, or that this folder lies in.
    ///
    /// # Errors
    /// If there is none, or its muster.toml is not in order: every problem of it.
    pub fn find(arguments: &Arguments) -> Result<Self> {
        let dir = match &arguments.dir {
            Some(dir) if !dir.join(DEFINITION).is_file() => bail!("{} has no {DEFINITION}", dir.display()),
            Some(dir) => dir.clone(),
            None => nearest_workspace()?,
        };
        Self::read(dir, arguments.as_of.as_deref())
    }

    /// The workspace in `dir`.
    ///
    /// # Errors
    /// As [`Workspace::find`].
    pub fn read(dir: PathBuf, as_of: Option<&str>) -> Result<Self> {
        let path = dir.join(DEFINITION);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let catalog = parse(DEFINITION, &text).map_err(|problems| anyhow!("{problems}"))?;
        let zone = catalog.workspace.time_zone;
        let given = as_of.map(|text| parse_local(text, zone).map_err(|error| anyhow!("--as-of \"{text}\" is {error}")));
        let as_of = given.transpose()?.or(catalog.workspace.as_of);
        let scoring = Scoring::of(&catalog)?;
        Ok(Self { dir, catalog, as_of, scoring })
    }

    /// muster's own folder.
    pub fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// The present, or the instant that stands for it here.
    pub fn clock(&self) -> Box<dyn Clock> {
        match self.as_of {
            Some(instant) => Box::new(FixedClock(instant)),
            None => Box::new(WallClock),
        }
    }

    /// Opens what muster keeps, as the one that writes; makes it where there is nothing yet.
    ///
    /// # Errors
    /// If another process writes, or the data directory is not this muster's.
    pub fn open(&self) -> Result<Opened> {
        self.open_at(&self.data())
    }

    /// As [`Workspace::open`], in the folder `data`.
    ///
    /// # Errors
    /// As [`Workspace::open`].
    pub fn open_at(&self, data: &Path) -> Result<Opened> {
        let state = State::open(data, &migrations(), Mode::Create)?;
        keep_secret(&state)?;
        let disk = Arc::new(TellingDisk::at(&data.join(BLOCKS)));
        let store = state.read(|tx| Store::open_on(disk, Upkeep::default(), tx))?;
        state.write(|tx| store.collect_garbage(tx))?;
        state.read(|tx| store.catch_up(&self.catalog, tx))?;
        Ok(Opened { state, store, inputs: KeptInputs::default() })
    }

    /// Opens what muster keeps for reading, beside whoever writes.
    ///
    /// # Errors
    /// If there is nothing yet, or the data directory is not this muster's.
    pub fn open_reading(&self) -> Result<OpenedReading> {
        let data = self.data();
        if !data.is_dir() {
            bail!("there is no data yet; load some with `muster load`");
        }
        let reader = reading_state(&data)?;
        // In one transaction: the writer may move rows from the log into files at any moment.
        let store = reader.read(|tx| -> Result<Store, muster_store::Error> {
            let store = Store::open(&data, tx)?;
            store.catch_up(&self.catalog, tx)?;
            Ok(store)
        })?;
        Ok(OpenedReading { reader, store, inputs: KeptInputs::default() })
    }

    fn workbench<'a>(
        &'a self,
        store: &'a Store,
        access: Access<'a>,
        inputs: &'a KeptInputs,
        engine: &'a Engine,
        clock: &'a dyn Clock,
    ) -> Workbench<'a> {
        let zone = self.catalog.workspace.time_zone;
        Workbench { store, access, engine, clock, zone, scoring: &self.scoring, inputs }
    }
}

/// The state and the store, to write.
pub struct Opened {
    /// The state file.
    pub state: State,
    /// The snapshots.
    pub store: Store,
    /// What scores were counted from, for all who work on them.
    pub inputs: KeptInputs,
}

/// The state and the store, to read.
pub struct OpenedReading {
    /// The state file.
    pub reader: Reader,
    /// The snapshots.
    pub store: Store,
    /// What scores were counted from, for all who work on them.
    pub inputs: KeptInputs,
}

impl Opened {
    /// What statements are executed with.
    pub fn workbench<'a>(
        &'a self,
        workspace: &'a Workspace,
        engine: &'a Engine,
        clock: &'a dyn Clock,
    ) -> Workbench<'a> {
        workspace.workbench(&self.store, Access::Write(&self.state), &self.inputs, engine, clock)
    }
}

impl OpenedReading {
    /// What statements are executed with.
    pub fn workbench<'a>(
        &'a self,
        workspace: &'a Workspace,
        engine: &'a Engine,
        clock: &'a dyn Clock,
    ) -> Workbench<'a> {
        workspace.workbench(&self.store, Access::Read(&self.reader), &self.inputs, engine, clock)
    }
}

/// An engine whose queries may take so long.
///
/// # Errors
/// If its threads cannot be started.
pub fn engine(seconds: u64) -> Result<Engine> {
    Ok(Engine::new(Limits { time: Duration::from_secs(seconds), ..Limits::default() })?)
}

/// The same for a process that does nothing else meanwhile, so that its size tells what the query takes.
///
/// # Errors
/// As [`engine`].
pub fn engine_alone(seconds: u64) -> Result<Engine> {
    let limits = Limits::default();
    let process = Some(limits.memory + ELSEWHERE);
    Ok(Engine::new(Limits { time: Duration::from_secs(seconds), process, ..limits })?)
}

/// What a query takes beside what its operators hold: plans, batches on their way.
const ELSEWHERE: usize = 1 << 30;

/// How long muster's own queries may take: segments of a large base are evaluated to their end.
pub const PATIENT: u64 = 3600;

/// The state of the data directory `data`, to read beside whoever writes.
///
/// # Errors
/// If there is none, or it is not this muster's.
pub fn reading_state(data: &Path) -> Result<Reader> {
    Ok(State::read_only(data, &migrations())?)
}

/// The tables of every room, a room after those that it refers to.
pub fn migrations() -> Vec<Migration> {
    [muster_store::MIGRATIONS, muster_segment::MIGRATIONS, muster_campaign::MIGRATIONS].concat()
}

/// The secret comes from the operating system, once, before anything could need it.
fn keep_secret(state: &State) -> Result<()> {
    if state.read(Secret::read).is_ok() {
        return Ok(());
    }
    let mut random = [0; 32];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut random))
        .context("no random numbers")?;
    Ok(state.write(|tx| Secret::keep(tx, random))?)
}

/// The folder from here upwards that has a muster.toml.
///
/// # Errors
/// If none has.
pub fn nearest_workspace() -> Result<PathBuf> {
    let here = std::env::current_dir().context("there is no current folder")?;
    let found = here.ancestors().find(|folder| folder.join(DEFINITION).is_file()).map(Path::to_owned);
    found.with_context(|| {
        format!(
            "no {DEFINITION} here or above; go to a workspace, name one with --dir, or begin one with `muster init`"
        )
    })
}
