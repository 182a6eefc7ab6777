-- For scheduled actions and the job queue: reading, and the columns that the shipped actions set.
GRANT UPDATE (active, write_date) ON ir_cron TO orderly_act;
DO $$ BEGIN
    IF to_regclass('queue_job') IS NOT NULL THEN
        GRANT UPDATE (state, result, priority) ON queue_job TO orderly_act;
    END IF;
END $$;
