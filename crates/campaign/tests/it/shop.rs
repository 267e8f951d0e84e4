//! A shop to campaign in: people, what they agreed to, and the campaigns that run over them.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use muster_campaign::ledger::{Entry, each_decision};
use muster_campaign::{
    Audience, Audiences, Driver, Error, GivenError, LinkRequest, Profiles, Recipient, Secret, Status, Summary, consent,
    publish,
};
use muster_catalog::{Clock, Timestamp};
use muster_channel::{Channel, Context, Links, Message, Templates};
use muster_state::{Mode, State};
use serde_json::Value;

use crate::fuse::{Blown, Fuse, Ticking};
use crate::post::{Email, Post};

/// A campaign that sends once to everybody in the segment `everyone`.
pub const LETTER: &str = r#"
objective = "retain"
purpose = "marketing"
enter = { segment = "everyone" }

[[steps]]
id = "write"
send = { email = "letter" }
"#;

/// One person of the shop.
#[derive(Debug, Clone)]
pub struct Person {
    pub address: Option<String>,
    pub first_name: Value,
    pub consents: Option<bool>,
    pub is_gone: bool,
}

impl Person {
    /// Someone who can be written to, and agreed to it.
    pub fn reachable(key: &str) -> Self {
        Self {
            address: Some(format!("{key}@people.example")),
            first_name: key.into(),
            consents: Some(true),
            is_gone: false,
        }
    }
}

/// The shop: what its disk holds, and the world around it.
pub struct Shop {
    dir: tempfile::TempDir,
    state: Option<Arc<State>>,
    people: BTreeMap<String, Person>,
    snapshot: u64,
    post: Arc<Post>,
    fuse: Arc<Fuse>,
    pub clock: Ticking,
}

impl Shop {
    /// A shop of `count` reachable people, and a post office that talks over `connections` lines.
    pub fn of(count: usize, connections: usize) -> Self {
        Self::with_people((0..count).map(|number| format!("c{number:05}")), connections)
    }

    /// A shop of reachable people with these keys.
    pub fn with_people(keys: impl IntoIterator<Item = String>, connections: usize) -> Self {
        let fuse = Arc::new(Fuse::default());
        let post = Post::new(templates(), connections, fuse.clone());
        let clock = Ticking::new(fuse.clone());
        let people = keys.into_iter().map(|key| (key.clone(), Person::reachable(&key))).collect();
        let dir = tempfile::tempdir().unwrap();
        let mut shop = Shop { dir, state: None, people, snapshot: 1, post: Arc::new(post), fuse, clock };
        shop.open();
        shop.state().write(|tx| Secret::keep(tx, [7; 32])).unwrap();
        shop.load();
        shop
    }

    pub fn state(&self) -> &State {
        self.state.as_ref().expect("the shop is open")
    }

    /// The state, for what happens beside the sender.
    pub fn shared_state(&self) -> Arc<State> {
        self.state.clone().expect("the shop is open")
    }

    /// Ends the shop's process and begins another, as after a crash.
    pub fn open(&mut self) {
        self.state = None;
        self.post.leave_in_peace();
        self.state = Some(Arc::new(State::open(self.dir.path(), muster_campaign::MIGRATIONS, Mode::Create).unwrap()));
    }

    /// Changes one person, and loads.
    pub fn change(&mut self, key: &str, change: impl FnOnce(&mut Person)) {
        change(self.people.entry(key.to_owned()).or_insert_with(|| Person::reachable(key)));
        self.load();
    }

    /// Loads what the people say now.
    fn load(&mut self) {
        self.snapshot += 1;
        let statements: Vec<(&String, bool)> =
            self.people.iter().filter_map(|(key, person)| Some((key, person.consents?))).collect();
        let at = Timestamp::from_micros(1_740_000_000_000_000);
        self.state().write(|tx| consent::write_from_load(tx, "email", at, statements)).unwrap();
    }

    pub fn publish(&self, name: &str, text: &str) -> u32 {
        let file = format!("campaigns/{name}.toml");
        let now = self.clock.now();
        self.state().write(|tx| publish(tx, &file, name, text, now)).unwrap().version
    }

    /// What the post office does right before it takes a message.
    pub fn meddle(&self, meddler: impl Fn(&Message) + Send + Sync + 'static) {
        self.post.meddle(Box::new(meddler));
    }

    /// Opens or closes the post office to everybody.
    pub fn post_office_is_closed(&self, is_closed: bool) {
        self.post.close(is_closed);
    }

    pub fn run_due(&self) -> Result<Vec<Summary>, Error> {
        self.run_due_over(Box::new(Email(self.post.clone())))
    }

    /// The same over another channel than the post office.
    pub fn run_due_over(&self, channel: Box<dyn Channel>) -> Result<Vec<Summary>, Error> {
        let channels = [channel];
        let links = |_: &LinkRequest<'_>| Links::default();
        let mut driver = Driver {
            state: self.state(),
            channels: &channels,
            audiences: self,
            profiles: self,
            links: &links,
            clock: &self.clock,
        };
        driver.run_due()
    }

    /// Runs, expecting exactly one run to be touched.
    pub fn run(&self) -> Summary {
        let mut summaries = self.run_due().unwrap();
        assert_eq!(summaries.len(), 1, "{summaries:#?}");
        summaries.remove(0)
    }

    /// Runs once more; true while that leaves something to do. The parts must add up every time.
    pub fn carries_on(&self) -> bool {
        let summaries = self.run_due().unwrap();
        for summary in &summaries {
            summary.check_identity().unwrap();
        }
        summaries.iter().any(|summary| !summary.is_finished())
    }

    /// Runs until the fuse blows at its `left`-th burn; true where it did, false where the run came to its end first.
    pub fn run_until_blown(&mut self, left: i64) -> bool {
        self.fuse.light(left);
        let end = catch_unwind(AssertUnwindSafe(|| self.run_due()));
        self.fuse.put_out();
        match end {
            Ok(summaries) => {
                summaries.unwrap();
                false
            }
            Err(panic) if panic.is::<Blown>() => {
                self.open();
                true
            }
            Err(panic) => resume_unwind(panic),
        }
    }

    /// The ids and addresses that the post office accepted, in its order.
    pub fn accepted(&self) -> Vec<(String, String)> {
        self.post.journal()
    }

    /// The addresses that the post office accepted, sorted.
    pub fn accepted_addresses(&self) -> Vec<String> {
        let mut addresses: Vec<String> = self.accepted().into_iter().map(|(_, address)| address).collect();
        addresses.sort();
        addresses
    }

    pub fn ledger(&self, campaign: &str) -> Vec<Entry> {
        let mut entries = Vec::new();
        let read = self.state().read(|tx| {
            each_decision(tx, campaign, |entry| {
                entries.push(entry);
                Ok::<(), muster_state::Error>(())
            })
        });
        read.unwrap();
        entries
    }

    /// What the ledger says of one profile: status and, where it has one, the reason.
    pub fn fate(&self, campaign: &str, key: &str) -> String {
        let entry = self.ledger(campaign).into_iter().find(|entry| entry.profile_key == key);
        match entry {
            None => "nothing".to_owned(),
            Some(Entry { status, reason: None, .. }) => status.to_string(),
            Some(Entry { status, reason: Some(reason), .. }) => format!("{status}: {reason}"),
        }
    }

    /// Holds the ledger of the campaign against what the post office knows.
    pub fn check_against_the_journal(&self, campaign: &str) {
        let journal = self.accepted();
        let accepted: BTreeSet<&str> = journal.iter().map(|(id, _)| id.as_str()).collect();
        assert_eq!(accepted.len(), journal.len(), "a message was accepted twice");
        let ledger = self.ledger(campaign);
        let ids = |status| {
            ledger.iter().filter(move |entry| entry.status == status).filter_map(|entry| entry.message_id.as_deref())
        };
        let sent: BTreeSet<&str> = ids(Status::Sent).collect();
        let uncertain: BTreeSet<&str> = ids(Status::Uncertain).collect();
        assert!(sent.is_subset(&accepted), "sent, and the post office does not know it");
        let unknown: Vec<_> = accepted.iter().filter(|id| !sent.contains(*id) && !uncertain.contains(*id)).collect();
        assert!(unknown.is_empty(), "accepted, and neither sent nor uncertain: {unknown:?}");
    }
}

impl Audiences for Shop {
    fn audience(&self, segment: &str) -> Result<Audience, GivenError> {
        if segment != "everyone" {
            return Err(format!("there is no segment {segment}").into());
        }
        let keys = self.people.iter().filter(|(_, person)| !person.is_gone).map(|(key, _)| key.clone()).collect();
        Ok(Audience {
            keys,
            snapshot: self.snapshot,
            as_of: Timestamp::from_micros(1_750_000_000_000_000),
            definition: "9f".to_owned(),
        })
    }
}

impl Profiles for Shop {
    fn fetch(&self, role: &str, keys: &[&str]) -> Result<Vec<Option<Recipient>>, GivenError> {
        assert_eq!(role, "email");
        self.fuse.burn();
        Ok(keys.iter().map(|key| self.people.get(*key).filter(|person| !person.is_gone).map(recipient)).collect())
    }
}

fn recipient(person: &Person) -> Recipient {
    let fields = [("first_name".to_owned(), person.first_name.clone())].into_iter().collect();
    Recipient { address: person.address.clone(), language: Some("en".to_owned()), fields }
}

pub fn templates() -> Templates {
    let letter = "---\nsubject: Hello {{ profile.first_name }}\n---\nWe have not seen you, {{ profile.first_name }}.\n";
    let second = "---\nsubject: Again\n---\nStill here.\n";
    let texts = [("letter.en.txt", letter), ("second.en.txt", second)];
    Templates::from_texts(texts.map(|(path, text)| (path.to_owned(), text.to_owned()))).unwrap()
}

/// Keeps the fixture honest: a context without the field that the letter prints must not compose.
#[test]
fn the_letter_needs_a_first_name() {
    let context = Context::default();
    assert!(templates().render("letter", Some("en"), &context).is_err());
}
