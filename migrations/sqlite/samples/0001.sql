-- One row of everything, as it may stand in a real file after this step. Later steps are replayed over these rows.
INSERT INTO events (stream, seq, kind, version, recorded, occurred, source, author, payload, redacted, salt, digest, previous, hash)
VALUES
    (0, 1, 'incident_numbered', 1, 1780000000000000000, 1780000000000000000, 'slack', 'ana', '{"number":7}', 0,
     zeroblob(16), zeroblob(32), zeroblob(32), zeroblob(32)),
    (7, 1, 'opened', 1, 1780000000000000001, 1779999999000000000, 'slack', 'ana', '{"title":"Odoo is slow ☃"}', 0,
     zeroblob(16), zeroblob(32), zeroblob(32), zeroblob(32)),
    (7, 2, 'noted', 1, 1780000000000000002, 1780000000000000002, 'slack', 'ben', '{"redacted":true}   ', 1,
     zeroblob(16), zeroblob(32), zeroblob(32), zeroblob(32));

INSERT INTO inbox (id, delivery_key, subject_key, platform, received, decided, outcome)
VALUES
    (1, 'slack/Ev01', NULL, 'slack', 1780000000000000000, 1780000000000000003, '{"ok":true}'),
    (2, 'slack/Ev02', 'slack/C1/1700.1', 'slack', 1780000000000000004, NULL, NULL);
INSERT INTO inbox_waiting (id, urgent, body) VALUES (2, 0, '{"text":"who is on call?"}');

INSERT INTO outbox (id, key, merge, channel, body, created, not_before, deadline, claimed, attempts, last_error)
VALUES
    (1, 'inc-7/1/page', 0, 'slack/T1/D5', '{}', 1780000000000000000, NULL, NULL, NULL, 0, NULL),
    ((1 << 60) | 2, 'inc-7/card', 1, 'slack/T1/C1', '{}', 1780000000000000000, 1780000000000000009,
     1790000000000000000, 1780000000000000005, 2, 'no answer within 10 s');

INSERT INTO timers (stream, key, due, body) VALUES (7, 'update', 1780000900000000000, '{}');
INSERT INTO locks (target, incident, attempt) VALUES ('odoo-prod', 7, 1);
INSERT INTO posts (incident, slot, message) VALUES (7, 'card', '{"message":"1700.1"}');
INSERT INTO incidents (number, open, private, body) VALUES (7, 1, 0, '{"title":"Odoo is slow"}'), (6, 0, 1, '{}');
INSERT INTO snapshots (stream, seq, version, bytes) VALUES (7, 2, 1, x'00');
INSERT INTO evidence (sha256, incident, media_type, bytes) VALUES (zeroblob(32), 7, 'text/plain', x'41'), (x'01', 7, 'text/plain', NULL);
INSERT INTO room_log (incident, room, message, thread, author, at, recorded, text)
VALUES
    (7, 'slack/T1/C1', '1700.1', NULL, 'U1', 1780000000000000000, 1780000000000000000, 'all orders hang'),
    (7, 'slack/T1/C1', '1700.1', NULL, 'U1', 1780000000000000000, 1780000001000000000, NULL);
