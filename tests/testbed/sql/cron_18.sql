SET ROLE odoo;
UPDATE ir_module_module SET latest_version = replace(latest_version, '16.0', '18.0');
CREATE TABLE ir_cron (
    id serial PRIMARY KEY, ir_actions_server_id int NOT NULL REFERENCES ir_act_server ON DELETE RESTRICT,
    user_id int NOT NULL REFERENCES res_users, interval_number int NOT NULL CHECK (interval_number > 0), priority int,
    failure_count int, create_uid int, write_uid int, cron_name varchar, interval_type varchar NOT NULL,
    active bool, nextcall timestamp NOT NULL, lastcall timestamp, first_failure_date timestamp,
    create_date timestamp, write_date timestamp
);
CREATE TABLE ir_cron_trigger (
    id serial PRIMARY KEY, cron_id int NOT NULL REFERENCES ir_cron ON DELETE CASCADE, create_uid int, write_uid int,
    call_at timestamp NOT NULL, create_date timestamp, write_date timestamp
);
CREATE INDEX ir_cron_trigger__cron_id_index ON ir_cron_trigger (cron_id);
CREATE TABLE ir_cron_progress (
    id serial PRIMARY KEY, cron_id int NOT NULL REFERENCES ir_cron ON DELETE CASCADE, remaining int, done int,
    timed_out_counter int, deactivate bool,
    create_uid int, create_date timestamp, write_uid int, write_date timestamp
);
CREATE INDEX ir_cron_progress__cron_id_index ON ir_cron_progress (cron_id);
INSERT INTO ir_cron (id, ir_actions_server_id, user_id, cron_name, active, interval_number, interval_type,
    priority, failure_count, nextcall, lastcall, write_date)
SELECT id - 10, id, 1, name ->> 'en_US', id <> 14, 1, 'hours', 5, 0,
    (now() AT TIME ZONE 'UTC') + interval '30 minutes', (now() AT TIME ZONE 'UTC') - interval '30 minutes',
    (now() AT TIME ZONE 'UTC') - interval '30 minutes'
FROM ir_act_server;
RESET ROLE;
