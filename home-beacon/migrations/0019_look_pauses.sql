-- How far apart the looks of a row could be, in milliseconds, where that is not the five minutes of a prober: what a check that runs
-- once an hour has seen holds for longer, and goes on to do so when it runs more or less often later.
ALTER TABLE look_spans ADD COLUMN pause INTEGER;
UPDATE look_spans SET pause = (SELECT NULLIF(MAX(300000, 2000 * MAX(every_seconds) + 60000), 300000) FROM checks
    WHERE checks.component_id = look_spans.component_id AND kind <> 'passive')
    WHERE location = 'checks';
CREATE INDEX look_pauses ON look_spans (component_id, pause) WHERE pause IS NOT NULL;
