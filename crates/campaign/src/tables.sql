-- The tables of the room `campaign`: what is published, who went through it, every decision with its reason, and the
-- standing refusals that bind all of them. Instants are microseconds UTC.

-- A campaign that was published at least once.
CREATE TABLE campaigns (
    name    TEXT    PRIMARY KEY,
    state   TEXT    NOT NULL CHECK (state IN ('live', 'paused', 'ended')),
    version INTEGER NOT NULL                -- the one that new journeys enter with
) STRICT, WITHOUT ROWID;

-- Every text that was ever live, unchanged: a traveller keeps the version that they entered with.
CREATE TABLE campaign_versions (
    campaign     TEXT    NOT NULL REFERENCES campaigns (name),
    number       INTEGER NOT NULL CHECK (number >= 1),
    digest       TEXT    NOT NULL,          -- SHA-256 of the text, in hexadecimal
    text         TEXT    NOT NULL,
    published_at INTEGER NOT NULL,
    PRIMARY KEY (campaign, number)
) STRICT, WITHOUT ROWID;

-- One audience that entered a campaign: a segment's members, frozen, with all that made them so.
CREATE TABLE runs (
    id          INTEGER PRIMARY KEY,
    campaign    TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    segment     TEXT    NOT NULL,
    definition  TEXT    NOT NULL,           -- digest of the segment's definition
    snapshot    INTEGER NOT NULL,
    as_of       INTEGER NOT NULL,
    audience    INTEGER NOT NULL,           -- members of the segment
    travelled   INTEGER NOT NULL DEFAULT 0, -- those of them whose journey was before this run
    status      TEXT    NOT NULL CHECK (status IN ('entering', 'dispatching', 'finished')),
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    FOREIGN KEY (campaign, version) REFERENCES campaign_versions (campaign, number),
    CHECK ((status = 'finished') = (finished_at IS NOT NULL))
) STRICT;
CREATE INDEX runs_by_campaign ON runs (campaign, status);

-- One profile's way through a campaign. Its number is the occurrence in the dedupe key.
CREATE TABLE journeys (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL REFERENCES runs (id),
    campaign    TEXT    NOT NULL,
    profile_key TEXT    NOT NULL,
    number      INTEGER NOT NULL CHECK (number >= 1),
    entered_at  INTEGER NOT NULL,
    step        TEXT,                       -- where it is; NULL once it ended
    ended_at    INTEGER,
    outcome     TEXT CHECK (outcome IN ('completed', 'control')),
    UNIQUE (campaign, profile_key, number),
    CHECK ((step IS NULL) = (ended_at IS NOT NULL) AND (step IS NULL) = (outcome IS NOT NULL))
) STRICT;
CREATE INDEX journeys_by_run ON journeys (run);

-- One choice to write to one profile, or not to, and what became of it.
CREATE TABLE decisions (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL REFERENCES runs (id),
    journey     INTEGER NOT NULL REFERENCES journeys (id),
    step        TEXT    NOT NULL,
    channel     TEXT    NOT NULL,
    dedupe      BLOB    NOT NULL UNIQUE CHECK (length(dedupe) = 32),
    status      TEXT    NOT NULL CHECK (status IN
                    ('planned', 'ready', 'dispatching', 'deferred', 'sent', 'skipped', 'failed', 'uncertain', 'control')),
    reason      TEXT,                       -- the rule that skipped it, the class of what failed it
    detail      TEXT,                       -- in words: the server's answer, the place in the template
    variant     TEXT    NOT NULL CHECK (variant IN ('treated', 'control')),
    probability REAL    NOT NULL CHECK (probability > 0.0 AND probability <= 1.0),
    attempts    INTEGER NOT NULL DEFAULT 0, -- hand-overs begun
    due_at      INTEGER,                    -- of a deferred one: not before
    epoch       INTEGER,                    -- the opening of the state that made the last attempt
    address_key BLOB,                       -- keyed hash of the address, once it is known
    message_id  TEXT,                       -- from the first attempt on, and never another
    decided_at  INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    CHECK ((status IN ('skipped', 'failed')) = (reason IS NOT NULL)),
    CHECK ((status = 'deferred') = (due_at IS NOT NULL)),
    CHECK ((status = 'control') = (variant = 'control'))
) STRICT;
CREATE INDEX decisions_by_status ON decisions (run, status, channel, id);
CREATE INDEX decisions_by_journey ON decisions (journey);
CREATE INDEX decisions_by_address ON decisions (run, step, address_key) WHERE address_key IS NOT NULL;

-- What a profile agreed to, per channel and, where a topic is named, per topic ('' is the channel as a whole).
CREATE TABLE consent (
    profile_key TEXT    NOT NULL,
    channel     TEXT    NOT NULL,
    topic       TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('in', 'out')),
    at          INTEGER NOT NULL,
    source      TEXT    NOT NULL,           -- 'load', or who else said so
    wording     TEXT,                       -- what the person was shown
    PRIMARY KEY (profile_key, channel, topic)
) STRICT, WITHOUT ROWID;

-- Addresses that nothing goes to, of any campaign and purpose, as keyed hashes: they outlive the person's data.
CREATE TABLE suppression (
    channel     TEXT    NOT NULL,
    address_key BLOB    NOT NULL CHECK (length(address_key) = 32),
    reason      TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (channel, address_key)
) STRICT, WITHOUT ROWID;

-- Present while every send is stopped.
CREATE TABLE halt (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    since INTEGER NOT NULL
) STRICT;

-- Random bytes that never leave this file: they key the dedupe keys and the hashes of addresses.
CREATE TABLE secrets (
    name  TEXT PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT, WITHOUT ROWID;
