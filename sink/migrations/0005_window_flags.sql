-- Flags of the tests that look at neighbours in time and at the station's other measures. Readings
-- that were loaded before there were such tests have not been judged by them: 2.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['rainfall', 'temperature', 'humidity', 'pressure'] LOOP
        EXECUTE format('ALTER TABLE weather.%I
            ADD COLUMN flag_step        smallint NOT NULL DEFAULT 2,
            ADD COLUMN flag_spike       smallint NOT NULL DEFAULT 2,
            ADD COLUMN flag_flat_line   smallint NOT NULL DEFAULT 2,
            ADD COLUMN flag_consistency smallint NOT NULL DEFAULT 2', name);
    END LOOP;
END $$;

ALTER TABLE weather.wind
    ADD COLUMN flag_speed_step          smallint NOT NULL DEFAULT 2,
    ADD COLUMN flag_speed_spike         smallint NOT NULL DEFAULT 2,
    ADD COLUMN flag_speed_flat_line     smallint NOT NULL DEFAULT 2,
    ADD COLUMN flag_direction_flat_line smallint NOT NULL DEFAULT 2,
    ADD COLUMN flag_consistency         smallint NOT NULL DEFAULT 2;
