-- Sensors as they were over time. A row that a later publication no longer names stays, with
-- deleted_at: a reading may have been judged by it, and names its version.

CREATE TABLE weather.sensor (
    sensor_id           text             NOT NULL,
    station_id          text             NOT NULL,
    parameter           text             NOT NULL,
    station_name        text,
    wigos_id            text,
    source              text             NOT NULL,
    valid_from          timestamptz      NOT NULL,
    valid_to            timestamptz,
    metadata_version    text             NOT NULL,
    calibration_version text,
    x                   double precision,
    y                   double precision,
    crs                 text             NOT NULL,
    elevation           double precision,
    height              double precision,
    model               text,
    serial              text,
    calibration_scale   double precision NOT NULL,
    calibration_offset  double precision NOT NULL,
    calibration_due     timestamptz,
    published_at        timestamptz      NOT NULL,
    deleted_at          timestamptz,
    created_at          timestamptz      NOT NULL DEFAULT now(),
    updated_at          timestamptz      NOT NULL DEFAULT now(),
    PRIMARY KEY (sensor_id, valid_from, metadata_version)
);
CREATE INDEX ON weather.sensor (station_id);
CREATE INDEX ON weather.sensor (metadata_version);

-- Stations as they were over time: what their sensors say of them, in the longest intervals.
CREATE VIEW weather.station AS
SELECT station_id, station_name, wigos_id, x, y, crs, elevation,
       lower(validity) AS valid_from, upper(validity) AS valid_to
FROM (
    SELECT station_id, station_name, wigos_id, x, y, crs, elevation,
           unnest(range_agg(tstzrange(valid_from, valid_to))) AS validity
    FROM weather.sensor
    WHERE deleted_at IS NULL
    GROUP BY station_id, station_name, wigos_id, x, y, crs, elevation
) AS known;
