INSERT INTO room_log (incident, room, message, thread, author, at, recorded, text, files, after_event)
VALUES
    (7, 'slack/T1/C1', '1700.3', NULL, 'U1', 1780000003000000000, 1780000003000000000, 'printing again', NULL, 2);
