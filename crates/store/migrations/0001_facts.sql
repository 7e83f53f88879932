-- The facts: what was accepted, from whom, when. Rows are added, never changed and never removed;
-- 0003_append_only.sql enforces it. Times are microseconds since 1970-01-01 UTC, days ISO texts.

-- Set once for the life of the database: instance id, schema fingerprint, key check value.
CREATE TABLE fact_setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE fact_agency (
    id               TEXT    NOT NULL PRIMARY KEY,
    title            TEXT    NOT NULL,
    pseudonym_secret BLOB    NOT NULL CHECK (length(pseudonym_secret) = 32),
    added_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How callers prove who they are: bearer tokens and client certificates. The hash alone, never the
-- token. `scopes` are names with spaces between; empty: all that the role may do.
CREATE TABLE fact_credential (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    kind       TEXT    NOT NULL CHECK (kind IN ('token', 'certificate')),
    label      TEXT    NOT NULL UNIQUE,
    role       TEXT    NOT NULL CHECK (role IN ('agency', 'steward', 'operator', 'auditor')),
    name       TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE fact_credential_revocation (
    label      TEXT    NOT NULL PRIMARY KEY REFERENCES fact_credential (label),
    revoked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The order of everything that was accepted; `at` never runs backwards, whatever the clock does.
-- `reference` is the id of the submission, decision or withdrawal, the agency that states something,
-- or the version activated.
CREATE TABLE fact_log (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    at        INTEGER NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN (
        'records', 'events', 'statements', 'decision', 'decision_undone', 'sample', 'model',
        'registry', 'profile', 'withdrawal')),
    reference TEXT    NOT NULL
) STRICT;

CREATE INDEX fact_log_at ON fact_log (at);

-- Submissions move forward only: open, then accepted or abandoned. `digest` is the running digest
-- over the `committed_offset` rows stored. The columns from `seq` on are the receipt.
CREATE TABLE fact_submission (
    number           INTEGER PRIMARY KEY AUTOINCREMENT,
    id               TEXT    NOT NULL UNIQUE,
    agency           TEXT    NOT NULL REFERENCES fact_agency (id),
    request_id       TEXT    NOT NULL,
    kind             TEXT    NOT NULL CHECK (kind IN ('records', 'events')),
    mode             TEXT    NOT NULL CHECK (mode IN ('delta', 'snapshot')),
    as_of            TEXT    NOT NULL,
    created_at       INTEGER NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('open', 'accepted', 'abandoned')),
    committed_offset INTEGER NOT NULL,
    rejected         INTEGER NOT NULL,
    digest           BLOB    NOT NULL CHECK (length(digest) = 32),
    seq              INTEGER UNIQUE REFERENCES fact_log (seq),
    accepted         INTEGER,
    unchanged        INTEGER,
    withdrawn        INTEGER,
    finalized_at     INTEGER,
    UNIQUE (agency, request_id),
    CHECK ((state = 'accepted') = (seq IS NOT NULL))
) STRICT;

CREATE INDEX fact_submission_of_agency ON fact_submission (agency);

-- The rows of submissions as they were sent. `place` is number * 2^32 + offset, so that the rows
-- of one submission lie together in order without an index. A row has a payload unless it was
-- refused, or equals a row that was accepted before. `takes_back` is the id of the event that this
-- one corrects, voids or revokes. Of a row that was erased nothing is left but its place, the
-- tombstone of its record and whether it was refused: its digest is 32 zero bytes.
CREATE TABLE fact_submission_row (
    place         INTEGER PRIMARY KEY,
    local_id      TEXT,
    version       INTEGER,
    event_id      TEXT,
    takes_back    TEXT,
    received_on   TEXT,
    digest        BLOB NOT NULL CHECK (length(digest) = 32),
    refused       TEXT,
    refused_field TEXT,
    remedy        TEXT,
    payload       BLOB
) STRICT;

CREATE INDEX fact_submission_row_refused ON fact_submission_row (place) WHERE refused IS NOT NULL;

-- Rows that only name a record: an erasure finds them here, the others by what was accepted of it.
CREATE INDEX fact_submission_row_that_names ON fact_submission_row (local_id)
    WHERE payload IS NULL AND local_id IS NOT NULL;

-- Accepted versions of identity records; `place` is the row that holds the payload. A version that
-- is accepted again after a withdrawal is listed again, with the place of the first row.
CREATE TABLE fact_record_version (
    agency   TEXT    NOT NULL,
    local_id TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    place    INTEGER NOT NULL,
    PRIMARY KEY (agency, local_id, version, seq)
) STRICT, WITHOUT ROWID;

-- What agencies asked to be erased: some of their records, or all that they had sent by then.
CREATE TABLE fact_erasure (
    seq        INTEGER PRIMARY KEY REFERENCES fact_log (seq),
    id         TEXT    NOT NULL UNIQUE,
    agency     TEXT    NOT NULL REFERENCES fact_agency (id),
    is_all     INTEGER NOT NULL CHECK (is_all IN (0, 1)),
    author     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    records    INTEGER NOT NULL,
    events     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    UNIQUE (agency, request_id)
) STRICT;

-- A withdrawal takes away every version accepted before it. Where it erased the record, its tombstone
-- stands for its local id as soon as the engine has taken the withdrawal in.
CREATE TABLE fact_withdrawal (
    agency   TEXT    NOT NULL,
    local_id TEXT    NOT NULL,
    seq      INTEGER NOT NULL,
    PRIMARY KEY (agency, local_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX fact_withdrawal_of_fact ON fact_withdrawal (seq);

CREATE VIEW present_version AS
SELECT v.agency, v.local_id, v.version, v.seq, v.place
FROM fact_record_version AS v
WHERE v.seq > coalesce(
    (SELECT max(w.seq) FROM fact_withdrawal AS w
     WHERE w.agency = v.agency AND w.local_id = v.local_id), 0);

-- Accepted events, lying by record: that is how they are read.
CREATE TABLE fact_event (
    agency     TEXT    NOT NULL,
    local_id   TEXT    NOT NULL,
    event_id   TEXT    NOT NULL,
    takes_back TEXT,
    seq        INTEGER NOT NULL,
    place      INTEGER NOT NULL,
    PRIMARY KEY (agency, local_id, event_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX fact_event_once ON fact_event (agency, event_id);

-- An event may take back one that was reported of another person.
CREATE INDEX fact_event_that_takes_back ON fact_event (agency, takes_back)
    WHERE takes_back IS NOT NULL;

-- What agencies state of their data and of employers. Of statements of one subject the last counts.
CREATE TABLE fact_statement (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    seq         INTEGER NOT NULL REFERENCES fact_log (seq),
    agency      TEXT    NOT NULL REFERENCES fact_agency (id),
    kind        TEXT    NOT NULL CHECK (kind IN ('complete_through', 'wages_loaded', 'employer')),
    subject     TEXT    NOT NULL,
    received_on TEXT    NOT NULL,
    payload     BLOB    NOT NULL
) STRICT;

CREATE INDEX fact_statement_of_agency ON fact_statement (agency);
CREATE INDEX fact_statement_of_kind ON fact_statement (kind);
CREATE INDEX fact_statement_of_subject ON fact_statement (agency, kind, subject);

-- Stewards' decisions. `task` is the question that was settled, `first_author` the steward who had
-- said the same before, where two are asked. Weight and probability are what the question said.
CREATE TABLE fact_decision (
    seq              INTEGER PRIMARY KEY REFERENCES fact_log (seq),
    id               TEXT    NOT NULL UNIQUE,
    verdict          TEXT    NOT NULL CHECK (verdict IN ('link', 'separate')),
    scope            TEXT    NOT NULL CHECK (scope IN ('pair', 'record')),
    task             TEXT    NOT NULL,
    task_reason      TEXT    NOT NULL,
    weight_millibits INTEGER NOT NULL,
    probability_ppm  INTEGER NOT NULL,
    author           TEXT    NOT NULL,
    first_author     TEXT,
    reason           TEXT    NOT NULL,
    is_blind         INTEGER NOT NULL CHECK (is_blind IN (0, 1)),
    model_version    TEXT    NOT NULL,
    request_id       TEXT    NOT NULL,
    at               INTEGER NOT NULL,
    UNIQUE (author, request_id)
) STRICT;

CREATE INDEX fact_decision_at ON fact_decision (at);
CREATE INDEX fact_decision_of_two ON fact_decision (task) WHERE first_author IS NOT NULL;

-- The records that the steward saw, each in its newest version then.
CREATE TABLE fact_decision_shown (
    decision INTEGER NOT NULL REFERENCES fact_decision (seq),
    agency   TEXT    NOT NULL,
    local_id TEXT    NOT NULL,
    side     TEXT    NOT NULL CHECK (side IN ('left', 'right')),
    version  INTEGER NOT NULL,
    PRIMARY KEY (decision, agency, local_id)
) STRICT, WITHOUT ROWID;

-- The pairs of records that a decision binds, each once either way round.
CREATE TABLE fact_decision_pair (
    agency         TEXT    NOT NULL,
    local_id       TEXT    NOT NULL,
    other_agency   TEXT    NOT NULL,
    other_local_id TEXT    NOT NULL,
    decision       INTEGER NOT NULL REFERENCES fact_decision (seq),
    PRIMARY KEY (agency, local_id, other_agency, other_local_id, decision)
) STRICT, WITHOUT ROWID;

CREATE INDEX fact_decision_pair_of ON fact_decision_pair (decision);

CREATE TABLE fact_decision_undo (
    seq      INTEGER PRIMARY KEY REFERENCES fact_log (seq),
    decision TEXT    NOT NULL UNIQUE REFERENCES fact_decision (id),
    author   TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

-- When a question about two records first came up. Tasks themselves are derived.
CREATE TABLE fact_task (
    id             TEXT    NOT NULL PRIMARY KEY,
    agency         TEXT    NOT NULL,
    local_id       TEXT    NOT NULL,
    other_agency   TEXT    NOT NULL,
    other_local_id TEXT    NOT NULL,
    opened_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX fact_task_of_record ON fact_task (agency, local_id);

-- What stewards said of a task without settling it: it belongs to the task's best pair, and so
-- follows the two records. A verdict here waits for a second one about the same `etag`.
CREATE TABLE fact_note (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    agency         TEXT    NOT NULL,
    local_id       TEXT    NOT NULL,
    other_agency   TEXT    NOT NULL,
    other_local_id TEXT    NOT NULL,
    task           TEXT    NOT NULL,
    etag           TEXT    NOT NULL,
    kind           TEXT    NOT NULL CHECK (kind IN ('defer', 'escalate', 'link', 'separate')),
    author         TEXT    NOT NULL,
    reason         TEXT    NOT NULL,
    until          TEXT,
    request_id     TEXT    NOT NULL,
    at             INTEGER NOT NULL,
    UNIQUE (author, request_id)
) STRICT;

CREATE INDEX fact_note_of_record ON fact_note (agency, local_id);
CREATE INDEX fact_note_of_task ON fact_note (task);
CREATE INDEX fact_note_at ON fact_note (at);

-- What an agency is asked about one of its records: by a steward about a task, with the records of
-- its best pair, or by drawing lots (`author` NULL). `fields` are parted by spaces.
CREATE TABLE fact_question (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT    NOT NULL UNIQUE,
    agency         TEXT    NOT NULL REFERENCES fact_agency (id),
    local_id       TEXT    NOT NULL,
    fields         TEXT    NOT NULL,
    author         TEXT,
    request_id     TEXT,
    waits_until    TEXT,
    left_agency    TEXT,
    left_local_id  TEXT,
    right_agency   TEXT,
    right_local_id TEXT,
    at             INTEGER NOT NULL,
    UNIQUE (author, request_id)
) STRICT;

CREATE INDEX fact_question_of_record ON fact_question (agency, local_id);
CREATE INDEX fact_question_about ON fact_question (left_agency, left_local_id)
    WHERE left_agency IS NOT NULL;

-- The rounds in which questions are put to an agency.
CREATE TABLE fact_question_round (
    agency TEXT    NOT NULL REFERENCES fact_agency (id),
    day    TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (agency, day)
) STRICT, WITHOUT ROWID;

-- Which question was put in which round, in this order.
CREATE TABLE fact_question_put (
    agency   TEXT NOT NULL,
    day      TEXT NOT NULL,
    question TEXT NOT NULL UNIQUE REFERENCES fact_question (id),
    until    TEXT NOT NULL,
    PRIMARY KEY (agency, day, question),
    FOREIGN KEY (agency, day) REFERENCES fact_question_round (agency, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE fact_answer (
    question TEXT    NOT NULL PRIMARY KEY REFERENCES fact_question (id),
    answer   TEXT    NOT NULL CHECK (answer IN ('confirmed', 'corrected', 'unknown')),
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Samples of pairs of records that stewards judge without the score.
CREATE TABLE fact_sample (
    seq    INTEGER PRIMARY KEY REFERENCES fact_log (seq),
    seed   INTEGER NOT NULL,
    author TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

CREATE TABLE fact_sample_stratum (
    sample         INTEGER NOT NULL REFERENCES fact_sample (seq),
    stratum        INTEGER NOT NULL,
    is_linked      INTEGER NOT NULL CHECK (is_linked IN (0, 1)),
    from_millibits INTEGER,
    to_millibits   INTEGER,
    pairs          INTEGER NOT NULL,
    PRIMARY KEY (sample, stratum)
) STRICT, WITHOUT ROWID;

CREATE TABLE fact_sample_pair (
    sample         INTEGER NOT NULL,
    stratum        INTEGER NOT NULL,
    agency         TEXT    NOT NULL,
    local_id       TEXT    NOT NULL,
    other_agency   TEXT    NOT NULL,
    other_local_id TEXT    NOT NULL,
    PRIMARY KEY (sample, stratum, agency, local_id, other_agency, other_local_id),
    FOREIGN KEY (sample, stratum) REFERENCES fact_sample_stratum (sample, stratum)
) STRICT, WITHOUT ROWID;

CREATE TABLE fact_activation (
    seq     INTEGER PRIMARY KEY REFERENCES fact_log (seq),
    kind    TEXT    NOT NULL CHECK (kind IN ('model', 'registry', 'profile')),
    version TEXT    NOT NULL,
    content BLOB    NOT NULL,
    author  TEXT    NOT NULL,
    at      INTEGER NOT NULL
) STRICT;

CREATE INDEX fact_activation_of_kind ON fact_activation (kind, version);

-- One entry for each time that results were asserted: on which facts, when, under which model.
CREATE TABLE fact_settlement (
    number        INTEGER PRIMARY KEY AUTOINCREMENT,
    up_to_seq     INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    model_version TEXT    NOT NULL
) STRICT;

CREATE INDEX fact_settlement_up_to ON fact_settlement (up_to_seq);

-- The membership log: which participant a record was given by a settlement; NULL: withdrawn.
CREATE TABLE fact_membership (
    agency      TEXT    NOT NULL,
    local_id    TEXT    NOT NULL,
    settlement  INTEGER NOT NULL,
    participant INTEGER,
    cause       TEXT    NOT NULL,
    PRIMARY KEY (agency, local_id, settlement)
) STRICT, WITHOUT ROWID;

CREATE INDEX fact_membership_of_participant ON fact_membership (participant);

-- What a decision did.
CREATE INDEX fact_membership_by_decision ON fact_membership (settlement) WHERE cause = 'decision';

CREATE TABLE fact_redirect (
    from_participant INTEGER PRIMARY KEY,
    to_participant   INTEGER NOT NULL,
    settlement       INTEGER NOT NULL
) STRICT;

CREATE TABLE fact_origin (
    participant INTEGER PRIMARY KEY,
    split_from  INTEGER NOT NULL,
    settlement  INTEGER NOT NULL
) STRICT;

-- The life of the feeds, which every cursor names: the last one counts. A cursor of another life says
-- nothing of this one's changes.
CREATE TABLE fact_feed_epoch (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    epoch  TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO fact_feed_epoch (epoch) VALUES (lower(hex(randomblob(8))));

-- Each agency's feed: cursors count from 1 without gaps, and `digest` is over the digest before (32
-- zero bytes at first) and the payload, so that a cursor tells this feed from any other. `cause` is
-- why in full, which its agency is not told.
CREATE TABLE fact_change (
    agency     TEXT    NOT NULL,
    cursor     INTEGER NOT NULL,
    settlement INTEGER NOT NULL,
    local_id   TEXT    NOT NULL,
    pathway    TEXT    NOT NULL,
    cause      TEXT    NOT NULL,
    payload    BLOB    NOT NULL,
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (agency, cursor)
) STRICT, WITHOUT ROWID;

-- What was last told of a status.
CREATE INDEX fact_change_of_status ON fact_change (agency, local_id, pathway);

-- What a decision did.
CREATE INDEX fact_change_by_decision ON fact_change (settlement) WHERE cause = 'decision';

-- The audit log: who did what, and who was told what, in order. `digest` is over the digest before (32
-- zero bytes at first) and the whole entry, so that none can be changed, taken out or put in between
-- unseen. `seq` and `content` are of the fact that an entry seals, and of what was left of it after an
-- erasure. Records stand under their handles, keyed hashes of their names, which outlive an erasure.
CREATE TABLE fact_audit (
    number  INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    role    TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    seq     INTEGER,
    content BLOB    CHECK (length(content) = 32),
    digest  BLOB    NOT NULL CHECK (length(digest) = 32),
    CHECK ((seq IS NULL) = (content IS NULL))
) STRICT;

CREATE INDEX fact_audit_of_fact ON fact_audit (seq, number) WHERE seq IS NOT NULL;
CREATE INDEX fact_audit_of_caller ON fact_audit (role, name, number);
CREATE INDEX fact_audit_of_action ON fact_audit (action, number);

-- The records that an entry is about.
CREATE TABLE fact_audit_record (
    handle BLOB    NOT NULL CHECK (length(handle) = 16),
    entry  INTEGER NOT NULL REFERENCES fact_audit (number),
    PRIMARY KEY (handle, entry)
) STRICT, WITHOUT ROWID;

CREATE INDEX fact_audit_record_of_entry ON fact_audit_record (entry, handle);
