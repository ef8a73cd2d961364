-- The sample AOS on SQLite. sqlserver.sql beside it is the same schema for SQL Server.
--
-- Times are text, 'YYYY-MM-DD HH:MM:SS.ffffff'. observed_at is the station's own clock, without a
-- zone; every other time is UTC. Measured columns have REAL affinity, which keeps text where a row
-- brings some, and may be NULL; so may observed_at, for loggers that lost their clock.

CREATE TABLE station (
    station_id NVARCHAR(16) NOT NULL PRIMARY KEY,
    name NVARCHAR(100) NOT NULL,
    wigos_id NVARCHAR(40) NULL,
    x REAL NOT NULL,
    y REAL NOT NULL,
    crs NVARCHAR(20) NOT NULL DEFAULT 'EPSG:4326',
    elevation REAL NULL,
    barometer_height REAL NULL,
    organisation NVARCHAR(100) NULL,
    station_class INTEGER NULL CHECK (station_class BETWEEN 1 AND 5),
    valid_from DATETIME NOT NULL,
    valid_to DATETIME NULL,
    modified_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')),
    CHECK (valid_to > valid_from)
);

CREATE TABLE sensor (
    id INTEGER NOT NULL PRIMARY KEY,
    station_id NVARCHAR(16) NOT NULL REFERENCES station (station_id),
    element NVARCHAR(2) NOT NULL CHECK (element IN ('TA', 'HM', 'WS', 'PA', 'RN')),
    position INTEGER NOT NULL DEFAULT 1 CHECK (position >= 1),
    sensor_id NVARCHAR(64) NOT NULL,
    model NVARCHAR(60) NULL,
    serial NVARCHAR(40) NULL,
    height REAL NULL,
    resolution REAL NULL CHECK (resolution > 0),
    valid_from DATETIME NOT NULL,
    valid_to DATETIME NULL,
    modified_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')),
    UNIQUE (sensor_id, valid_from),
    CHECK (valid_to > valid_from)
);

CREATE TABLE calibration (
    id INTEGER NOT NULL PRIMARY KEY,
    sensor_row INTEGER NOT NULL REFERENCES sensor (id),
    scale REAL NOT NULL DEFAULT 1 CHECK (scale <> 0),
    offset_value REAL NOT NULL DEFAULT 0,
    unit NVARCHAR(10) NOT NULL,
    valid_from DATETIME NOT NULL,
    valid_to DATETIME NULL,
    certificate NVARCHAR(40) NULL,
    modified_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now')),
    UNIQUE (sensor_row, valid_from),
    CHECK (valid_to > valid_from)
);

CREATE TABLE weather_hourly (
    id INTEGER NOT NULL PRIMARY KEY,
    station_id NVARCHAR(16) NOT NULL REFERENCES station (station_id),
    observed_at DATETIME NULL,
    temp REAL NULL,
    dewp REAL NULL,
    humid REAL NULL,
    wind_dir REAL NULL,
    wind_speed REAL NULL,
    wind_gust REAL NULL,
    precip REAL NULL,
    pressure REAL NULL,
    visib REAL NULL,
    modified_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now'))
);

CREATE INDEX ix_weather_hourly_modified ON weather_hourly (modified_at, id);

-- For the history of a station. Not unique: in autumn the clock shows one hour twice.
CREATE INDEX ix_weather_hourly_observed ON weather_hourly (station_id, observed_at);

-- For reading history by time, as a backfill does.
CREATE INDEX ix_weather_hourly_time ON weather_hourly (observed_at, id);

CREATE TABLE aws_minute (
    id INTEGER NOT NULL PRIMARY KEY,
    station_id NVARCHAR(16) NOT NULL REFERENCES station (station_id),
    element NVARCHAR(2) NOT NULL CHECK (element IN ('TA', 'HM', 'WS', 'PA', 'RN')),
    sensor_no INTEGER NOT NULL DEFAULT 1 CHECK (sensor_no >= 1),
    observed_at DATETIME NULL,
    value REAL NULL,
    direction REAL NULL,
    gust REAL NULL,
    quality NVARCHAR(10) NULL,
    modified_at DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f000', 'now'))
);

CREATE INDEX ix_aws_minute_modified ON aws_minute (modified_at, id);

CREATE INDEX ix_aws_minute_observed ON aws_minute (station_id, observed_at);

CREATE INDEX ix_aws_minute_time ON aws_minute (observed_at, id);
