INSERT INTO inbox (id, delivery_key, subject_key, platform, received)
VALUES (3, 'slack/Ev03', 'slack/C1/1700.3', 'slack', 1780000000000000006);
INSERT INTO outcomes (id, decided, outcome) VALUES (3, 1780000000000000007, '{"ok":false}');
