-- Tokens that open one page: what is kept of one is its SHA-256. Times are milliseconds since 1970-01-01T00:00Z.

CREATE TABLE tokens (
    id           TEXT    NOT NULL PRIMARY KEY,
    page_id      TEXT    NOT NULL REFERENCES pages (id),
    name         TEXT    NOT NULL,
    hash         TEXT    NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    -- To the hour.
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT;
