-- Changes of look_spans that are not written there yet, as JSON: they go with the heartbeat, whose row is written each minute
-- anyway, so that a look each minute costs the disk no page of its own.
ALTER TABLE heartbeat ADD COLUMN looks TEXT;
