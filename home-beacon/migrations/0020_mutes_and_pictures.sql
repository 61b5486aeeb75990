-- Times are milliseconds since 1970-01-01T00:00Z.

-- Whether a channel has been given it: only then is it known by whoever is told that it is over.
ALTER TABLE notices ADD COLUMN given INTEGER NOT NULL DEFAULT 0;

-- The picture that a channel is given with a notice, as long as the notice waits: a JPEG in base64.
CREATE TABLE notice_pictures (
    notice_id INTEGER NOT NULL PRIMARY KEY REFERENCES notices (id) ON DELETE CASCADE,
    jpeg      TEXT    NOT NULL
) STRICT;
