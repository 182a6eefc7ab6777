SET ROLE odoo;
INSERT INTO ir_module_module (name, state, latest_version, write_date)
    VALUES ('queue_job', 'installed', '16.0.2.6.0', (now() AT TIME ZONE 'UTC') - interval '90 days');

CREATE TABLE queue_job_channel (
    id serial PRIMARY KEY, name varchar, complete_name varchar UNIQUE, parent_id int REFERENCES queue_job_channel,
    removal_interval int NOT NULL DEFAULT 30, create_uid int, create_date timestamp, write_uid int, write_date timestamp
);
INSERT INTO queue_job_channel (name, complete_name, parent_id) VALUES ('root', 'root', NULL), ('edi', 'root.edi', 1);

CREATE TABLE queue_job (
    id serial PRIMARY KEY, priority int, retry int, max_retries int, job_function_id int, user_id int NOT NULL DEFAULT 1,
    company_id int, worker_pid int, uuid varchar NOT NULL, graph_uuid varchar, name varchar, model_name varchar,
    method_name varchar, func_string varchar, state varchar NOT NULL, exc_name varchar, exc_message varchar,
    channel_method_name varchar, channel varchar, identity_key varchar, records text, args text, kwargs text,
    dependencies text, result text, exc_info text,
    date_created timestamp, date_started timestamp, date_enqueued timestamp, date_done timestamp, date_cancelled timestamp,
    eta timestamp, exec_time double precision
);
CREATE INDEX queue_job__uuid_index ON queue_job (uuid);
CREATE INDEX queue_job__state_index ON queue_job (state);
CREATE INDEX queue_job__channel_index ON queue_job (channel);
CREATE INDEX queue_job_channel_date_done_date_created_index ON queue_job (channel, date_done, date_created);

CREATE FUNCTION queue_job_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state != 'done' THEN PERFORM pg_notify('queue_job', OLD.uuid); END IF;
    ELSE
        PERFORM pg_notify('queue_job', NEW.uuid);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER queue_job_notify AFTER INSERT OR UPDATE OR DELETE ON queue_job
    FOR EACH ROW EXECUTE FUNCTION queue_job_notify();

-- A quiet afternoon: done jobs, one that runs, two that wait for their turn, one that waits for another job.
INSERT INTO queue_job (uuid, name, state, channel, priority, retry, max_retries, date_created, date_enqueued, date_started,
    date_done, dependencies, result)
SELECT 'done-' || n, 'Import order', 'done', 'root.edi', 10, 1, 5, at, at, at, at, NULL, 'ok'
FROM generate_series(1, 20) n, LATERAL (SELECT (now() AT TIME ZONE 'UTC') - n * interval '1 minute' AS at) t;
INSERT INTO queue_job (uuid, name, state, channel, priority, retry, max_retries, date_created, date_enqueued, date_started,
    worker_pid, dependencies, result)
VALUES
    ('running', 'Import order', 'started', 'root.edi', 10, 1, 5, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC',
        now() AT TIME ZONE 'UTC', 4711, NULL, NULL),
    ('pending-1', 'Import order', 'pending', 'root.edi', 10, 0, 5, now() AT TIME ZONE 'UTC', NULL, NULL, NULL, NULL, NULL),
    ('pending-2', 'Import order', 'pending', 'root.edi', 10, 1, 5, now() AT TIME ZONE 'UTC', NULL, NULL, NULL, NULL,
        'Retried: carrier timed out'),
    ('waiting', 'Print label', 'wait_dependencies', 'root.edi', 10, 0, 5, now() AT TIME ZONE 'UTC', NULL, NULL, NULL,
        '{"depends_on": ["running"], "reverse_depends_on": []}', NULL),
    ('mail-1', 'Send mail', 'pending', 'root', 10, 0, 5, now() AT TIME ZONE 'UTC', NULL, NULL, NULL, NULL, NULL);
RESET ROLE;
