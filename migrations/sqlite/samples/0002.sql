INSERT INTO room_log (incident, room, message, thread, author, at, recorded, text, files)
VALUES
    (7, 'slack/T1/C1', '1700.2', NULL, 'U1', 1780000002000000000, 1780000002000000000, 'the labels of today',
     '[{"id":"F1","name":"labels ☃.csv","media_type":"text/csv","size":12}]');
