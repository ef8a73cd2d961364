-- What the stations around say of a reading, and what its own station says of its sensor. Readings
-- that were loaded before anybody asked have not been judged by it: 2.

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['rainfall', 'temperature', 'humidity', 'wind', 'pressure'] LOOP
        EXECUTE format('ALTER TABLE weather.%I
            ADD COLUMN flag_buddy  smallint NOT NULL DEFAULT 2,
            ADD COLUMN flag_health smallint NOT NULL DEFAULT 2', name);
    END LOOP;
END $$;

-- Winds that were loaded before have none: a replay brings them.
ALTER TABLE weather.wind
    ADD COLUMN eastward  double precision,
    ADD COLUMN northward double precision;

-- WMO-No. 8, annex 4.B, over water; what the moisture is of which no dew can fall, and what is no
-- temperature of air, has none.
CREATE FUNCTION weather.dew_point(temperature double precision, humidity double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT 243.12 * gamma / (17.62 - gamma)
    FROM (SELECT ln(CASE WHEN humidity > 0 THEN least(humidity, 100) END / 100)
                 + 17.62 * air / (243.12 + air) AS gamma
          FROM (SELECT CASE WHEN temperature BETWEEN -100 AND 100 THEN temperature END AS air)
               AS plausible) AS moist
$$;

-- Height is the barometer's above the sea, in metres.
CREATE FUNCTION weather.sea_level_pressure(
    pressure double precision, temperature double precision,
    humidity double precision, height double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT pressure * exp(9.80665 / 287.05 * height / (
        air + 273.15 + 0.0065 / 2 * height
        + 0.12 * humidity / 100 * 6.112 * exp(17.62 * air / (243.12 + air))))
    FROM (SELECT CASE WHEN temperature BETWEEN -100 AND 100 THEN temperature END AS air)
         AS plausible
$$;

-- Derived when asked for: so they follow whatever comes late, is corrected, or is judged again. Of
-- several sensors of a station the first counts; what failed is not computed with.
CREATE VIEW weather.derived AS
SELECT t.station_id, t.observed_at, t.observed_local,
       t.value AS temperature, h.value AS humidity, p.value AS pressure,
       weather.dew_point(t.value, h.value) AS dew_point,
       weather.sea_level_pressure(
           p.value, t.value, h.value, p.elevation + coalesce(p.height, 0)) AS sea_level_pressure,
       CASE WHEN 3 IN (t.flag, h.flag, p.flag) THEN 3::smallint
            WHEN 2 IN (t.flag, h.flag, p.flag) THEN 2::smallint ELSE 1::smallint END AS flag
FROM weather.temperature AS t
LEFT JOIN weather.humidity AS h
    ON h.sensor_id = t.station_id || ':humidity' AND h.observed_at = t.observed_at
    AND h.flag IN (1, 2, 3) AND h.deleted_at IS NULL
LEFT JOIN weather.pressure AS p
    ON p.sensor_id = t.station_id || ':pressure' AND p.observed_at = t.observed_at
    AND p.flag IN (1, 2, 3) AND p.deleted_at IS NULL
WHERE t.sensor_id = t.station_id || ':temperature' AND t.flag IN (1, 2, 3)
    AND t.deleted_at IS NULL AND (h.value IS NOT NULL OR p.value IS NOT NULL);

-- A column that a view gains can only be its last.
CREATE OR REPLACE VIEW weather.reading_all AS
SELECT station_id, sensor_id, parameter, parameter AS measure,
       interval_start, observed_at, observed_local, value, raw_value, unit,
       flag, flag_range, flag_step, flag_spike, flag_flat_line,
       flag_consistency, flag_time, flag_metadata, score, reason, corrections,
       latitude, longitude, elevation, height,
       source_name, source_table, source_key, raw_topic, raw_partition, raw_offset,
       mapping_version, ruleset_version, metadata_version, calibration_version,
       source_version, revision, extracted_at, processed_at, flag_calibration,
       flag_buddy, flag_health
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
       source_version, revision, extracted_at, processed_at, flag_calibration,
       flag_buddy, flag_health
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
