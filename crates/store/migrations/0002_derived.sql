-- Derived state: all of it can be emptied and computed again from the facts.

CREATE TABLE derived_progress (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    applied_seq INTEGER NOT NULL
) STRICT;

CREATE TABLE derived_membership (
    agency      TEXT    NOT NULL,
    local_id    TEXT    NOT NULL,
    participant INTEGER NOT NULL,
    PRIMARY KEY (agency, local_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX derived_membership_of_participant ON derived_membership (participant);

CREATE TABLE derived_status (
    agency   TEXT NOT NULL,
    local_id TEXT NOT NULL,
    pathway  TEXT NOT NULL,
    label    TEXT NOT NULL,
    awaits   INTEGER NOT NULL CHECK (awaits IN (0, 1)),
    payload  BLOB NOT NULL,
    PRIMARY KEY (agency, local_id, pathway)
) STRICT, WITHOUT ROWID;

-- The statuses that a source's report may change.
CREATE INDEX derived_status_that_awaits ON derived_status (agency, local_id) WHERE awaits = 1;

CREATE INDEX derived_status_of_label ON derived_status (agency, label, local_id, pathway);

-- By which rules, and for which day, the statuses were evaluated. While `evaluated_to` is not NULL,
-- those of later participants are still by other rules.
CREATE TABLE derived_evaluation (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    rules        BLOB    NOT NULL CHECK (length(rules) = 32),
    day          TEXT    NOT NULL,
    evaluated_to INTEGER
) STRICT;

-- The next day on which a participant's statuses change although nobody sends anything.
CREATE TABLE derived_due (
    participant INTEGER PRIMARY KEY,
    due_on      TEXT    NOT NULL
) STRICT;

-- Records whose statuses changed when records were regrouped, and whose feed does not say so yet: it
-- is told what remains of the change a second later. `cause` and `is_own` are of the first change.
CREATE TABLE derived_held (
    agency   TEXT    NOT NULL,
    local_id TEXT    NOT NULL,
    cause    TEXT    NOT NULL,
    is_own   INTEGER NOT NULL CHECK (is_own IN (0, 1)),
    PRIMARY KEY (agency, local_id)
) STRICT, WITHOUT ROWID;

-- Questions for stewards. `risk_ppm` is the probability that what stands until a decision is wrong,
-- `statuses` counts the statuses of the records of both groups, `priority` is risk * (1 + statuses).
-- `waits` is what stewards and agencies last said of it (fact_note, fact_question), until a day where
-- there is one; `first_author` gave a verdict that waits for a second one. `agencies` and `pathways` are
-- those of the records and statuses of both groups, each once, with commas between.
CREATE TABLE derived_task (
    id                  TEXT    NOT NULL PRIMARY KEY,
    reason              TEXT    NOT NULL,
    weight_millibits    INTEGER NOT NULL,
    probability_ppm     INTEGER NOT NULL,
    risk_ppm            INTEGER NOT NULL,
    statuses            INTEGER NOT NULL,
    priority            INTEGER NOT NULL,
    best_left_agency    TEXT    NOT NULL,
    best_left_local_id  TEXT    NOT NULL,
    best_right_agency   TEXT    NOT NULL,
    best_right_local_id TEXT    NOT NULL,
    etag                TEXT    NOT NULL,
    opened_at           INTEGER NOT NULL,
    waits               TEXT    CHECK (waits IN ('deferred', 'asked', 'escalated')),
    waits_until         TEXT,
    first_author        TEXT,
    agencies            TEXT    NOT NULL,
    pathways            TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE derived_task_record (
    agency   TEXT    NOT NULL,
    local_id TEXT    NOT NULL,
    task     TEXT    NOT NULL,
    side     TEXT    NOT NULL CHECK (side IN ('left', 'right')),
    version  INTEGER NOT NULL,
    PRIMARY KEY (agency, local_id, task)
) STRICT, WITHOUT ROWID;

CREATE INDEX derived_task_record_of_task ON derived_task_record (task);

-- Work in hand, neither fact nor derived: losing it costs nothing but that two stewards may look at
-- one task. Who holds a task, and who wants to see it no more on a day.
CREATE TABLE work_lease (
    task    TEXT    NOT NULL PRIMARY KEY,
    steward TEXT    NOT NULL,
    until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE work_skip (
    steward TEXT NOT NULL,
    task    TEXT NOT NULL,
    day     TEXT NOT NULL,
    PRIMARY KEY (steward, task)
) STRICT, WITHOUT ROWID;

-- Whose the handles of the audit log are, until the record is erased.
CREATE TABLE record_name (
    handle   BLOB NOT NULL PRIMARY KEY CHECK (length(handle) = 16),
    agency   TEXT NOT NULL,
    local_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Has a row within the transaction of an erasure, and of nothing else: the facts may be changed then.
CREATE TABLE work_erasure (
    one INTEGER PRIMARY KEY CHECK (one = 1)
) STRICT;
