-- What upstream calls the status of a copied incident, where that is none of the API's words: it is shown, and `status` has
-- what comes next to it.
ALTER TABLE incidents ADD COLUMN upstream_status TEXT;

-- Whether the seed names a component: 0 where one did once and none does any more, nothing where none ever did.
ALTER TABLE components ADD COLUMN seeded INTEGER;
