ALTER TABLE session ADD COLUMN withheld_ms BIGINT;
