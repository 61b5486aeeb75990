-- Times are milliseconds since 1970-01-01T00:00Z. Ids are 12 lower-case letters and digits.

-- "porc": this is a keeper's database (APPLICATION_ID in the store).
PRAGMA application_id = 1886351971;

CREATE TABLE pages (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    description TEXT,
    url         TEXT,
    domain      TEXT,
    subdomain   TEXT,
    time_zone   TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE components (
    id                    TEXT    NOT NULL PRIMARY KEY,
    page_id               TEXT    NOT NULL REFERENCES pages (id),
    name                  TEXT    NOT NULL,
    description           TEXT,
    position              INTEGER NOT NULL,
    status                TEXT    NOT NULL CHECK (status IN
        ('', 'operational', 'under_maintenance', 'degraded_performance', 'partial_outage', 'major_outage')),
    showcase              INTEGER NOT NULL,
    only_show_if_degraded INTEGER NOT NULL,
    start_date            TEXT,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL
) STRICT;

CREATE INDEX components_by_page ON components (page_id, position);

-- The history: one row for each status that a component took, from its first one on.
CREATE TABLE component_statuses (
    component_id TEXT    NOT NULL REFERENCES components (id) ON DELETE CASCADE,
    since        INTEGER NOT NULL,
    status       TEXT    NOT NULL,
    PRIMARY KEY (component_id, since)
) STRICT;

CREATE TABLE incidents (
    id                 TEXT    NOT NULL PRIMARY KEY,
    page_id            TEXT    NOT NULL REFERENCES pages (id),
    name               TEXT    NOT NULL,
    status             TEXT    NOT NULL CHECK (status IN
        ('investigating', 'identified', 'monitoring', 'resolved', 'scheduled', 'in_progress', 'verifying', 'completed')),
    impact             TEXT    NOT NULL CHECK (impact IN ('none', 'maintenance', 'minor', 'major', 'critical')),
    impact_override    TEXT             CHECK (impact_override IN ('none', 'maintenance', 'minor', 'major', 'critical')),
    metadata           TEXT    NOT NULL,
    reminder_intervals TEXT,
    backfilled         INTEGER NOT NULL,
    scheduled_for      INTEGER,
    scheduled_until    INTEGER,
    started_at         INTEGER NOT NULL,
    monitoring_at      INTEGER,
    resolved_at        INTEGER,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL
) STRICT;

CREATE INDEX incidents_by_page ON incidents (page_id, created_at);

CREATE TABLE incident_components (
    incident_id  TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    component_id TEXT NOT NULL REFERENCES components (id) ON DELETE CASCADE,
    PRIMARY KEY (incident_id, component_id)
) STRICT;

CREATE TABLE incident_updates (
    id                    TEXT    NOT NULL PRIMARY KEY,
    incident_id           TEXT    NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    status                TEXT    NOT NULL,
    body                  TEXT    NOT NULL,
    deliver_notifications INTEGER NOT NULL,
    affected_components   TEXT,
    display_at            INTEGER NOT NULL,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL
) STRICT;

CREATE INDEX incident_updates_by_incident ON incident_updates (incident_id, display_at);
