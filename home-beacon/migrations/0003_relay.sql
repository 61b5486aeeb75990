-- Times are milliseconds since 1970-01-01T00:00Z, slots are seconds and multiples of 30.

-- Whether a metric's points are told upstream, and repeated while nothing newer is measured.
ALTER TABLE metrics ADD COLUMN relayed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE metrics ADD COLUMN held INTEGER NOT NULL DEFAULT 0;

-- Whether a component's status is told upstream, and the one that upstream took last: what differs is to be told.
ALTER TABLE components ADD COLUMN relayed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE components ADD COLUMN delivered TEXT;

-- What is a copy of something upstream, where its writer is.
ALTER TABLE components ADD COLUMN mirrored INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN mirrored INTEGER NOT NULL DEFAULT 0;

-- The points that upstream has not taken yet, the latest of each slot. Sorted by time, so that the points of a minute
-- are neighbours on disk: they come and go together.
CREATE TABLE relay_points (
    slot      INTEGER NOT NULL,
    metric_id TEXT    NOT NULL REFERENCES metrics (id) ON DELETE CASCADE,
    value     REAL    NOT NULL,
    PRIMARY KEY (slot, metric_id)
) STRICT, WITHOUT ROWID;

-- The points that upstream refused, and why.
CREATE TABLE relay_set_aside (
    slot      INTEGER NOT NULL,
    metric_id TEXT    NOT NULL REFERENCES metrics (id) ON DELETE CASCADE,
    value     REAL    NOT NULL,
    reason    TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (slot, metric_id)
) STRICT, WITHOUT ROWID;

-- What came in before the clock was set: since which boot of the host, and how many milliseconds after it.
CREATE TABLE undated (
    id       INTEGER PRIMARY KEY,
    boot     TEXT    NOT NULL,
    after    INTEGER NOT NULL,
    document TEXT    NOT NULL
) STRICT;

-- One row: when the keeper was alive, and in which boot of the host.
CREATE TABLE heartbeat (
    at   INTEGER NOT NULL,
    boot TEXT    NOT NULL
) STRICT;

-- When nothing could be recorded, and whether the host booted meanwhile.
CREATE TABLE gaps (
    began       INTEGER NOT NULL PRIMARY KEY,
    ended       INTEGER NOT NULL,
    host_booted INTEGER NOT NULL
) STRICT;
