-- What people and jobs ask: all readings in one place, the newest of each sensor, the gaps; and
-- the indexes for it. The newest of a sensor is what the primary key gives when read backwards.

-- Few readings are suspect or failed: an index of those alone costs next to nothing. A time of all
-- stations is found by block ranges, because readings come roughly in the order of time.
DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['rainfall', 'temperature', 'humidity', 'wind', 'pressure'] LOOP
        EXECUTE format('CREATE INDEX %2$I ON weather.%1$I (observed_at DESC) WHERE flag IN (3, 4)',
            name, name || '_flagged_idx');
        EXECUTE format('CREATE INDEX %2$I ON weather.%1$I USING brin (observed_at)
            WITH (pages_per_range = 32, autosummarize = on)', name, name || '_time_idx');
    END LOOP;
END $do$;

-- Every measure of every reading that was not deleted; a reading of wind has three.
DROP VIEW weather.reading_all;
CREATE VIEW weather.reading_all AS
SELECT station_id, sensor_id, parameter, parameter AS measure,
       interval_start, observed_at, observed_local, value, raw_value, unit,
       flag, flag_range, flag_step, flag_spike, flag_flat_line,
       flag_consistency, flag_time, flag_metadata, score, reason, corrections,
       latitude, longitude, elevation, height,
       source_name, source_table, source_key, raw_topic, raw_partition, raw_offset,
       mapping_version, ruleset_version, metadata_version, calibration_version,
       source_version, revision, extracted_at, processed_at
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
       source_version, revision, extracted_at, processed_at
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

-- The newest reading of each sensor that metadata or a cadence tells of: one look into an index
-- for each, from the newest chunk on.
DO $do$
DECLARE
    newest text;
BEGIN
    SELECT string_agg(format($view$
        SELECT reading.station_id, sensor.sensor_id, reading.parameter, measure.name AS measure,
               reading.observed_at, reading.observed_local,
               measure.value, measure.raw_value, measure.unit,
               reading.flag, reading.score, reading.reason, reading.latitude, reading.longitude
        FROM (
            SELECT sensor_id FROM weather.sensor WHERE parameter = %1$L AND deleted_at IS NULL
            UNION
            SELECT sensor_id FROM weather.sensor_cadence WHERE parameter = %1$L
        ) AS sensor
        CROSS JOIN LATERAL (
            SELECT * FROM weather.%1$I AS known
            WHERE known.sensor_id = sensor.sensor_id AND deleted_at IS NULL
            ORDER BY observed_at DESC LIMIT 1
        ) AS reading
        CROSS JOIN LATERAL (VALUES %2$s) AS measure (name, value, raw_value, unit)
        $view$, parameter, measures), ' UNION ALL ')
    INTO newest
    FROM (VALUES
        ('rainfall', $$('rainfall', reading.value, reading.raw_value, reading.unit)$$),
        ('temperature', $$('temperature', reading.value, reading.raw_value, reading.unit)$$),
        ('humidity', $$('humidity', reading.value, reading.raw_value, reading.unit)$$),
        ('pressure', $$('pressure', reading.value, reading.raw_value, reading.unit)$$),
        ('wind', $$('wind_speed', reading.speed, reading.raw_speed, reading.unit),
                   ('wind_direction', reading.direction, reading.raw_direction, 'degree'),
                   ('wind_gust', reading.gust, reading.raw_gust, reading.unit)$$)
    ) AS known (parameter, measures);
    EXECUTE 'CREATE VIEW weather.latest AS ' || newest;
END $do$;

-- Where readings are absent or missing for more than one and a half times the sensor's cadence,
-- between two that are there: last_before and first_after are theirs, absent is how many it takes.
CREATE FUNCTION weather.gaps(
    since timestamptz DEFAULT '-infinity', until timestamptz DEFAULT 'infinity'
)
RETURNS TABLE (
    sensor_id text, parameter text, last_before timestamptz, first_after timestamptz,
    duration interval, cadence interval, absent bigint
)
LANGUAGE sql STABLE AS $function$
    SELECT step.sensor_id, step.parameter, step.last_before, step.first_after,
           step.first_after - step.last_before, known.cadence,
           round(extract(epoch FROM step.first_after - step.last_before)
                 / extract(epoch FROM known.cadence))::bigint - 1
    FROM (
        SELECT there.sensor_id, there.parameter, there.observed_at AS first_after,
               lag(there.observed_at) OVER (PARTITION BY there.sensor_id ORDER BY there.observed_at)
                   AS last_before
        FROM (
            SELECT r.sensor_id, r.parameter, r.observed_at, r.flag, r.deleted_at
            FROM weather.rainfall AS r
            UNION ALL
            SELECT t.sensor_id, t.parameter, t.observed_at, t.flag, t.deleted_at
            FROM weather.temperature AS t
            UNION ALL
            SELECT h.sensor_id, h.parameter, h.observed_at, h.flag, h.deleted_at
            FROM weather.humidity AS h
            UNION ALL
            SELECT w.sensor_id, w.parameter, w.observed_at, w.flag, w.deleted_at
            FROM weather.wind AS w
            UNION ALL
            SELECT p.sensor_id, p.parameter, p.observed_at, p.flag, p.deleted_at
            FROM weather.pressure AS p
        ) AS there
        WHERE there.observed_at >= since AND there.observed_at <= until
          AND there.flag <> 9 AND there.deleted_at IS NULL
    ) AS step
    JOIN weather.sensor_cadence AS known ON known.sensor_id = step.sensor_id
    WHERE step.first_after - step.last_before > 1.5 * known.cadence
$function$;

CREATE VIEW weather.gap AS SELECT * FROM weather.gaps();
