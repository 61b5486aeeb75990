-- Where the original of a copied incident can be read.
ALTER TABLE incidents ADD COLUMN shortlink TEXT;

-- Whether a seed names a metric: 0: none did; 1: it does; 2: it is put away, because the seed left it out, or shows the same by
-- another id.
ALTER TABLE metrics ADD COLUMN seeded INTEGER NOT NULL DEFAULT 0;

-- What a client deleted, so that a seed which still names it does not bring it back.
CREATE TABLE deleted (
    id   TEXT    NOT NULL PRIMARY KEY,
    kind TEXT    NOT NULL CHECK (kind IN ('component', 'metric')),
    at   INTEGER NOT NULL
) STRICT;
