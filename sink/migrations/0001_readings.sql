-- Readings: one table for each parameter, named by what was observed, keyed by who and when.
-- A column has the name of its field in the clean schema; times are UTC but for observed_local.

CREATE SCHEMA IF NOT EXISTS weather;

-- What all readings have in common.
CREATE TEMPORARY TABLE reading (
    station_id          text             NOT NULL,
    sensor_id           text             NOT NULL,
    wigos_id            text,
    parameter           text             NOT NULL,
    unit                text             NOT NULL,
    latitude            double precision,
    longitude           double precision,
    elevation           double precision,
    height              double precision,
    metadata_version    text,
    calibration_version text,
    ruleset_version     text             NOT NULL,
    source_name         text             NOT NULL,
    source_rank         smallint         NOT NULL,
    source_table        text             NOT NULL,
    mapping_version     integer          NOT NULL,
    raw_topic           text             NOT NULL,
    raw_partition       integer          NOT NULL,
    interval_start      timestamptz      NOT NULL,
    observed_at         timestamptz      NOT NULL,
    flag                smallint         NOT NULL,
    flag_time           smallint         NOT NULL,
    flag_metadata       smallint         NOT NULL,
    score               double precision,
    reason              text,
    corrections         text,
    observed_local      timestamp        NOT NULL,
    source_key          text             NOT NULL,
    source_version      bigint           NOT NULL,
    revision            bigint           NOT NULL,
    raw_offset          bigint           NOT NULL,
    extracted_at        timestamptz      NOT NULL,
    processed_at        timestamptz      NOT NULL,
    deleted_at          timestamptz,
    created_at          timestamptz      NOT NULL DEFAULT now(),
    updated_at          timestamptz      NOT NULL DEFAULT now()
) ON COMMIT DROP;

CREATE TABLE weather.rainfall (
    LIKE reading INCLUDING DEFAULTS,
    value      double precision,
    raw_value  double precision,
    flag_range smallint NOT NULL,
    PRIMARY KEY (sensor_id, observed_at)
);
CREATE INDEX ON weather.rainfall (station_id, observed_at DESC);

CREATE TABLE weather.temperature (LIKE weather.rainfall INCLUDING ALL);
CREATE TABLE weather.humidity (LIKE weather.rainfall INCLUDING ALL);
CREATE TABLE weather.pressure (LIKE weather.rainfall INCLUDING ALL);

CREATE TABLE weather.wind (
    LIKE reading INCLUDING DEFAULTS,
    speed                double precision,
    raw_speed            double precision,
    flag_speed_range     smallint NOT NULL,
    direction            double precision,
    raw_direction        double precision,
    flag_direction_range smallint NOT NULL,
    gust                 double precision,
    raw_gust             double precision,
    flag_gust_range      smallint NOT NULL,
    PRIMARY KEY (sensor_id, observed_at)
);
CREATE INDEX ON weather.wind (station_id, observed_at DESC);

-- Every measure of every reading that was not deleted; a reading of wind has three.
CREATE VIEW weather.reading_all AS
SELECT station_id, sensor_id, parameter, parameter AS measure, observed_at, observed_local,
       value, raw_value, unit, flag, flag_range, score, reason, latitude, longitude
FROM (
    SELECT * FROM weather.rainfall
    UNION ALL SELECT * FROM weather.temperature
    UNION ALL SELECT * FROM weather.humidity
    UNION ALL SELECT * FROM weather.pressure
) AS reading
WHERE deleted_at IS NULL
UNION ALL
SELECT station_id, sensor_id, parameter, measure.name, observed_at, observed_local,
       measure.value, measure.raw_value, measure.unit, flag, measure.flag_range, score, reason,
       latitude, longitude
FROM weather.wind
CROSS JOIN LATERAL (VALUES
    ('wind_speed', speed, raw_speed, unit, flag_speed_range),
    ('wind_direction', direction, raw_direction, 'degree', flag_direction_range),
    ('wind_gust', gust, raw_gust, unit, flag_gust_range)
) AS measure (name, value, raw_value, unit, flag_range)
WHERE deleted_at IS NULL;
