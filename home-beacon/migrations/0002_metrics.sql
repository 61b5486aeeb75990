-- Times are milliseconds since 1970-01-01T00:00Z. Ids are 12 lower-case letters and digits.

CREATE TABLE metrics_providers (
    id         TEXT    NOT NULL PRIMARY KEY,
    page_id    TEXT    NOT NULL REFERENCES pages (id),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE metrics (
    id                  TEXT    NOT NULL PRIMARY KEY,
    page_id             TEXT    NOT NULL REFERENCES pages (id),
    metrics_provider_id TEXT    NOT NULL REFERENCES metrics_providers (id) ON DELETE CASCADE,
    metric_identifier   TEXT,
    name                TEXT    NOT NULL,
    display             INTEGER NOT NULL,
    tooltip_description TEXT,
    y_axis_min          REAL,
    y_axis_max          REAL,
    y_axis_hidden       INTEGER NOT NULL,
    suffix              TEXT,
    decimal_places      INTEGER NOT NULL,
    -- Which readings feed it, and which part of them.
    reading             TEXT,
    field               TEXT    NOT NULL DEFAULT 'value' CHECK (field IN ('value', 'min', 'max', 'jitter', 'loss')),
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL
) STRICT;

CREATE INDEX metrics_by_page ON metrics (page_id, created_at);

-- What has readings: a reading's metric, like `ping`, or the points of a page's metric, `@` and its id.
CREATE TABLE series (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- For 30 days each reading. Exactly one of value, failure and skipped is there.
CREATE TABLE readings (
    series_id INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    at        INTEGER NOT NULL,
    value     REAL,
    failure   TEXT,
    skipped   TEXT,
    target    TEXT,
    method    TEXT,
    min       REAL,
    max       REAL,
    jitter    REAL,
    loss      REAL,
    mark      TEXT,
    PRIMARY KEY (series_id, at),
    CHECK ((value IS NOT NULL) + (failure IS NOT NULL) + (skipped IS NOT NULL) = 1)
) STRICT, WITHOUT ROWID;

-- For two years what an hour's readings came to. Sums, so that what arrives late can be added.
CREATE TABLE hours (
    series_id    INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    at           INTEGER NOT NULL,
    measured     INTEGER NOT NULL,
    failed       INTEGER NOT NULL,
    skipped      INTEGER NOT NULL,
    marked       INTEGER NOT NULL,
    value_sum    REAL    NOT NULL,
    min          REAL,
    max          REAL,
    jitter_sum   REAL    NOT NULL,
    jitter_count INTEGER NOT NULL,
    loss_sum     REAL    NOT NULL,
    loss_count   INTEGER NOT NULL,
    PRIMARY KEY (series_id, at)
) STRICT, WITHOUT ROWID;

-- One row: the time by which old readings were last looked for.
CREATE TABLE retention (
    as_of INTEGER NOT NULL
) STRICT;

-- What a job must remember between its runs.
CREATE TABLE job_states (
    job        TEXT    NOT NULL PRIMARY KEY,
    document   TEXT    NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
