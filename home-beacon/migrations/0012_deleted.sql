-- The page that what was deleted had been on: another page's seed has nothing to say of it. What was deleted before this was
-- most likely on the page that was shown.
ALTER TABLE deleted ADD COLUMN page_id TEXT;
UPDATE deleted SET page_id = (SELECT page_id FROM shown);
