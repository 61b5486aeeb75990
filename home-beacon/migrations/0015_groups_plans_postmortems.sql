-- Times are milliseconds since 1970-01-01T00:00Z.

CREATE TABLE component_groups (
    id          TEXT    NOT NULL PRIMARY KEY,
    page_id     TEXT    NOT NULL REFERENCES pages (id),
    name        TEXT    NOT NULL,
    description TEXT,
    position    INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX component_groups_by_page ON component_groups (page_id, position);

-- A component whose group is deleted is in none.
ALTER TABLE components ADD COLUMN group_id TEXT REFERENCES component_groups (id) ON DELETE SET NULL;

-- What a maintenance does by itself: begin, end, what it does to its components then, and whether subscribers are notified.
ALTER TABLE incidents ADD COLUMN auto_in_progress INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN auto_completed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN to_maintenance INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN to_operational INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN notify_at_start INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN notify_at_end INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN remind_prior INTEGER NOT NULL DEFAULT 0;

-- The postmortem: what is public of it, what is not yet, and since when. There is one where it has been created.
ALTER TABLE incidents ADD COLUMN postmortem_body TEXT;
ALTER TABLE incidents ADD COLUMN postmortem_body_updated_at INTEGER;
ALTER TABLE incidents ADD COLUMN postmortem_draft TEXT;
ALTER TABLE incidents ADD COLUMN postmortem_draft_updated_at INTEGER;
ALTER TABLE incidents ADD COLUMN postmortem_published_at INTEGER;
ALTER TABLE incidents ADD COLUMN postmortem_notify INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incidents ADD COLUMN postmortem_created_at INTEGER;
ALTER TABLE incidents ADD COLUMN postmortem_updated_at INTEGER;
-- The update that is it, while it is public.
ALTER TABLE incidents ADD COLUMN postmortem_update_id TEXT;
