-- Times are milliseconds.

-- The host's uptime at the last heartbeat: a container that was started anew has another boot, but the host's boot clock.
ALTER TABLE heartbeat ADD COLUMN uptime INTEGER;

-- When the host booted by its clock as it was then: another time later shows that the clock was stepped, or is another boot's.
ALTER TABLE undated ADD COLUMN booted INTEGER;
