-- The page that was shown last, so that a start without a seed shows it again, and not another one that somebody writes to.
CREATE TABLE shown (
    only_one INTEGER PRIMARY KEY CHECK (only_one = 1),
    page_id TEXT NOT NULL
) STRICT;
