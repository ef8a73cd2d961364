-- Whether the calibration was in date. Readings that were loaded before this was asked have not
-- been judged by it: 2.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['rainfall', 'temperature', 'humidity', 'wind', 'pressure'] LOOP
        EXECUTE format('ALTER TABLE weather.%I
            ADD COLUMN flag_calibration smallint NOT NULL DEFAULT 2', name);
    END LOOP;
END $$;

-- A column that a view gains can only be its last.
CREATE OR REPLACE VIEW weather.reading_all AS
SELECT station_id, sensor_id, parameter, parameter AS measure,
       interval_start, observed_at, observed_local, value, raw_value, unit,
       flag, flag_range, flag_step, flag_spike, flag_flat_line,
       flag_consistency, flag_time, flag_metadata, score, reason, corrections,
       latitude, longitude, elevation, height,
       source_name, source_table, source_key, raw_topic, raw_partition, raw_offset,
       mapping_version, ruleset_version, metadata_version, calibration_version,
       source_version, revision, extracted_at, processed_at, flag_calibration
FROM (
    SELECT * FROM weather.rainfall
    UNION ALL SELECT * FROM weather.temperature
    UNION ALL SELECT * FROM weather.humidity
    UNION ALL SELECT * FROM weather.pressure
) AS reading
WHERE deleted_at IS NULL
UNION ALL
SELECT station_id, sensor_id, parameter, measure.name,
       interval_start, observed_at, observed_local, measure.value, measure.raw_value, measure.unit,
       flag, measure.flag_range, measure.flag_step, measure.flag_spike, measure.flag_flat_line,
       flag_consistency, flag_time, flag_metadata, score, reason, corrections,
       latitude, longitude, elevation, height,
       source_name, source_table, source_key, raw_topic, raw_partition, raw_offset,
       mapping_version, ruleset_version, metadata_version, calibration_version,
       source_version, revision, extracted_at, processed_at, flag_calibration
FROM weather.wind
CROSS JOIN LATERAL (VALUES
    ('wind_speed', speed, raw_speed, unit,
     flag_speed_range, flag_speed_step, flag_speed_spike, flag_speed_flat_line),
    ('wind_direction', direction, raw_direction, 'degree',
     flag_direction_range, NULL, NULL, flag_direction_flat_line),
    ('wind_gust', gust, raw_gust, unit,
     flag_gust_range, NULL, NULL, NULL)
) AS measure (name, value, raw_value, unit, flag_range, flag_step, flag_spike, flag_flat_line)
WHERE deleted_at IS NULL;
