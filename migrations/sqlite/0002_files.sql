-- The files of a message, as JSON; null where there are none.
ALTER TABLE room_log ADD COLUMN files TEXT;
