-- Number of the incident's last event when the row was written, so that a document as of an event never shows what was
-- heard after it. 0 in rows from before: nobody noted it.
ALTER TABLE room_log ADD COLUMN after_event INTEGER NOT NULL DEFAULT 0;
