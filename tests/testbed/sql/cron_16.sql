SET ROLE odoo;
CREATE TABLE ir_cron (
    id serial PRIMARY KEY, ir_actions_server_id int NOT NULL REFERENCES ir_act_server ON DELETE RESTRICT,
    user_id int NOT NULL REFERENCES res_users, interval_number int, numbercall int, priority int,
    create_uid int, write_uid int, cron_name varchar, interval_type varchar,
    active bool, doall bool, nextcall timestamp NOT NULL, lastcall timestamp, create_date timestamp, write_date timestamp
);
CREATE TABLE ir_cron_trigger (
    id serial PRIMARY KEY, cron_id int REFERENCES ir_cron, create_uid int, write_uid int,
    call_at timestamp, create_date timestamp, write_date timestamp
);
CREATE INDEX ir_cron_trigger__cron_id_index ON ir_cron_trigger (cron_id);
INSERT INTO ir_cron (id, ir_actions_server_id, user_id, cron_name, active, interval_number, interval_type, numbercall, doall,
    priority, nextcall, lastcall, write_date)
SELECT id - 10, id, 1, name ->> 'en_US', id <> 14, 1, 'hours', -1, false, 5,
    (now() AT TIME ZONE 'UTC') + interval '30 minutes', (now() AT TIME ZONE 'UTC') - interval '30 minutes',
    (now() AT TIME ZONE 'UTC') - interval '30 minutes'
FROM ir_act_server;
RESET ROLE;
