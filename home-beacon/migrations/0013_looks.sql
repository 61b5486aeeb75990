-- Times are milliseconds since 1970-01-01T00:00Z.

-- When somebody looked at a component, and what they saw: looks that follow each other with the same verdict are one row, from
-- the first to the last of them. Without a verdict a look is known to have come, and not what it saw.
CREATE TABLE look_spans (
    component_id TEXT    NOT NULL REFERENCES components (id) ON DELETE CASCADE,
    location     TEXT    NOT NULL,
    inside       INTEGER NOT NULL,
    began        INTEGER NOT NULL,
    ended        INTEGER NOT NULL,
    verdict      TEXT,
    cause        TEXT,
    PRIMARY KEY (component_id, location, inside, began)
) STRICT, WITHOUT ROWID;

-- The newest signed look that a beacon has reported, by the prober's clock, where that is later than the rows above: after a step
-- of the clock what is reported again must not count as new.
CREATE TABLE look_marks (
    component_id TEXT    NOT NULL REFERENCES components (id) ON DELETE CASCADE,
    location     TEXT    NOT NULL,
    at           INTEGER NOT NULL,
    PRIMARY KEY (component_id, location)
) STRICT, WITHOUT ROWID;

-- Whether somebody is expected to look at it. What is sent upstream is this home's own word.
ALTER TABLE components ADD COLUMN looks INTEGER NOT NULL DEFAULT 1;
UPDATE components SET looks = 0 WHERE relayed;
