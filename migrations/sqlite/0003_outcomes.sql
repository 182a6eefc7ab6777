-- What was decided stands beside the deliveries and not in their rows: those are written once, and one that grows would
-- split a page that is full. Rows are added about in order.
CREATE TABLE outcomes (
    id      INTEGER PRIMARY KEY,
    decided INTEGER NOT NULL,
    outcome TEXT    NOT NULL
) STRICT;
INSERT INTO outcomes (id, decided, outcome) SELECT id, decided, outcome FROM inbox WHERE decided IS NOT NULL;
ALTER TABLE inbox DROP COLUMN decided;
ALTER TABLE inbox DROP COLUMN outcome;
