-- Notices to people. Times are milliseconds since 1970-01-01T00:00Z.

-- What is worth a notice and goes on, or has ended lately.
CREATE TABLE notice_tracks (
    key       TEXT    NOT NULL PRIMARY KEY,
    since     INTEGER NOT NULL,
    -- Null while it goes on.
    ended     INTEGER,
    -- Since when it lasts by the notice that it began, where there was one that has no end yet.
    announced INTEGER,
    -- The last notice of it.
    last      INTEGER,
    -- How often it has begun since it was last well for a while, and the first of these times.
    begins    INTEGER NOT NULL,
    first     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The notices that are not settled yet.
CREATE TABLE notices (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    key     TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    stage   TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    title   TEXT    NOT NULL,
    text    TEXT    NOT NULL,
    serious INTEGER NOT NULL,
    ends    INTEGER,
    -- Of an end: who was not given the begin is given it, is unless a look from outside has seen the same, or is not.
    missed  TEXT    NOT NULL
) STRICT;
CREATE INDEX notices_by_key ON notices (key);

-- Who is still to be given them, or was not.
CREATE TABLE notice_deliveries (
    notice_id   INTEGER NOT NULL REFERENCES notices (id) ON DELETE CASCADE,
    -- A digest of the channel's address.
    channel     TEXT    NOT NULL,
    -- How often it may have been taken.
    tries       INTEGER NOT NULL DEFAULT 0,
    -- Whether it is left out where a look from outside has seen the same.
    unless_seen INTEGER NOT NULL DEFAULT 0,
    -- Why it is not sent any more.
    failure     TEXT,
    PRIMARY KEY (notice_id, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_deliveries_by_channel ON notice_deliveries (channel, notice_id);

-- What nobody is written to about for now: a key, or the part of it before a slash.
CREATE TABLE mutes (
    key   TEXT    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
