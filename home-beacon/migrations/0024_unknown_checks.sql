-- Since when no run of a check could tell how it is, in milliseconds since 1970-01-01T00:00Z: what it depends on aside.
ALTER TABLE checks ADD COLUMN unknown_since INTEGER;
