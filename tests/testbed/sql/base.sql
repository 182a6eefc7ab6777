SET ROLE odoo;

CREATE TABLE res_users (
    id serial PRIMARY KEY, company_id int NOT NULL DEFAULT 1, partner_id int NOT NULL DEFAULT 1, active bool,
    login varchar NOT NULL UNIQUE, password varchar, share bool,
    create_uid int, create_date timestamp, write_uid int, write_date timestamp
);
INSERT INTO res_users (id, login, active) VALUES (1, '__system__', false), (2, 'admin', true);

CREATE TABLE ir_module_module (
    id serial PRIMARY KEY, name varchar NOT NULL UNIQUE, state varchar, latest_version varchar,
    author varchar, website varchar, category_id int, shortdesc jsonb, summary jsonb, application bool, auto_install bool,
    demo bool, web bool, license varchar, sequence int,
    create_uid int, create_date timestamp, write_uid int, write_date timestamp
);
CREATE INDEX ir_module_module__state_index ON ir_module_module (state);
INSERT INTO ir_module_module (name, state, latest_version, write_date) VALUES
    ('base', 'installed', '16.0.1.3', (now() AT TIME ZONE 'UTC') - interval '90 days'),
    ('stock', 'installed', '16.0.1.1', (now() AT TIME ZONE 'UTC') - interval '90 days'),
    ('account', 'installed', '16.0.1.2', (now() AT TIME ZONE 'UTC') - interval '90 days'),
    ('sale_loyalty', 'uninstalled', NULL, NULL);

CREATE TABLE ir_act_server (
    id serial PRIMARY KEY, name jsonb NOT NULL, type varchar NOT NULL DEFAULT 'ir.actions.server',
    usage varchar NOT NULL DEFAULT 'ir_cron', state varchar NOT NULL DEFAULT 'code', model_id int NOT NULL DEFAULT 1, code text,
    create_uid int, create_date timestamp, write_uid int, write_date timestamp
);
INSERT INTO ir_act_server (id, name, code) VALUES
    (11, '{"en_US": "Account: Post draft entries"}', 'model._autopost_draft_entries()'),
    (12, '{"en_US": "Procurement: run scheduler"}', 'model.run_scheduler(True)'),
    (13, '{"en_US": "Mail: Email Queue Manager"}', 'model.process_email_queue()'),
    (14, '{"en_US": "Base: Auto-vacuum internal data"}', 'model._run_vacuum_cleaner()');
RESET ROLE;
