-- Checks: what is looked at besides the home itself. Times are milliseconds since 1970-01-01T00:00Z.

CREATE TABLE checks (
    name             TEXT    NOT NULL PRIMARY KEY,
    -- The program that registered it.
    source           TEXT    NOT NULL,
    title            TEXT    NOT NULL,
    group_name       TEXT,
    kind             TEXT    NOT NULL,
    target           TEXT    NOT NULL,
    every_seconds    INTEGER NOT NULL,
    -- 'own': a component that was made for it; 'nowhere'; or 'given': one that was there.
    place            TEXT    NOT NULL CHECK (place IN ('own', 'nowhere', 'given')),
    component_id     TEXT REFERENCES components (id) ON DELETE SET NULL,
    -- As JSON.
    depends_on       TEXT    NOT NULL,
    notices_wanted   INTEGER NOT NULL,
    after_failures   INTEGER NOT NULL,
    all_changes      INTEGER NOT NULL,
    -- Of one that calls us: how often, how much later it may be, and the SHA-256 of its secret in hexadecimal digits.
    period_seconds   INTEGER,
    grace_seconds    INTEGER,
    secret_sha256    TEXT,
    registered_at    INTEGER NOT NULL,
    -- What counts after the thresholds, since when, and how many runs in a row have failed since it counts as down.
    counts           TEXT,
    since            INTEGER,
    down_runs        INTEGER NOT NULL DEFAULT 0,
    -- The last run.
    ran_at           INTEGER,
    state            TEXT,
    cause            TEXT,
    text             TEXT,
    took_ms          REAL,
    -- As JSON.
    phases           TEXT,
    figures          TEXT,
    certificate_ends INTEGER,
    -- How many runs have worked and failed since it was registered.
    successes        INTEGER NOT NULL DEFAULT 0,
    failures         INTEGER NOT NULL DEFAULT 0,
    -- Of one that calls us: when it said last that a run begins, and what it sent along.
    started_at       INTEGER,
    body             TEXT
) STRICT;

CREATE INDEX checks_by_source ON checks (source);
CREATE INDEX checks_by_component ON checks (component_id);
CREATE INDEX checks_by_secret ON checks (secret_sha256);
-- Those that call us are looked at each five seconds.
CREATE INDEX passive_checks ON checks (component_id) WHERE kind = 'passive';

-- Whether checks set the component's status.
ALTER TABLE components ADD COLUMN checked INTEGER NOT NULL DEFAULT 0;

-- Whether a series is a registered check's, and the unit of its values, where it is a figure.
ALTER TABLE series ADD COLUMN of_check INTEGER NOT NULL DEFAULT 0;
ALTER TABLE series ADD COLUMN unit TEXT;
CREATE INDEX series_of_checks ON series (of_check);
