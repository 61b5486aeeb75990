-- Times are milliseconds since 1970-01-01T00:00Z.

-- When the page upstream could be read: copies of it that follow each other are one row, from the first to the last of them.
CREATE TABLE upstream_reads (
    began INTEGER NOT NULL PRIMARY KEY,
    ended INTEGER NOT NULL
) STRICT;
