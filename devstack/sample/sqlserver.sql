-- The sample AOS on SQL Server 2019 and newer, as one batch. sqlite.sql beside it is the same schema.
--
-- observed_at is the station's own clock, without a zone; every other time is UTC. Measured columns
-- may be NULL; so may observed_at, for loggers that lost their clock. row_version rises with every
-- change of a row. Load the sample's own ids with SET IDENTITY_INSERT ... ON.

CREATE TABLE dbo.station (
    station_id NVARCHAR(16) NOT NULL,
    name NVARCHAR(100) NOT NULL,
    wigos_id NVARCHAR(40) NULL,
    x FLOAT(53) NOT NULL,
    y FLOAT(53) NOT NULL,
    crs NVARCHAR(20) NOT NULL CONSTRAINT df_station_crs DEFAULT N'EPSG:4326',
    elevation FLOAT(53) NULL,
    barometer_height FLOAT(53) NULL,
    organisation NVARCHAR(100) NULL,
    station_class INT NULL,
    valid_from DATETIME2(7) NOT NULL,
    valid_to DATETIME2(7) NULL,
    modified_at DATETIME2(7) NOT NULL CONSTRAINT df_station_modified_at DEFAULT SYSUTCDATETIME(),
    row_version ROWVERSION NOT NULL,
    CONSTRAINT pk_station PRIMARY KEY CLUSTERED (station_id),
    CONSTRAINT ck_station_class CHECK (station_class BETWEEN 1 AND 5),
    CONSTRAINT ck_station_valid CHECK (valid_to > valid_from)
);

CREATE TABLE dbo.sensor (
    id INT IDENTITY(1, 1) NOT NULL,
    station_id NVARCHAR(16) NOT NULL,
    element NVARCHAR(2) NOT NULL,
    position INT NOT NULL CONSTRAINT df_sensor_position DEFAULT 1,
    sensor_id NVARCHAR(64) NOT NULL,
    model NVARCHAR(60) NULL,
    serial NVARCHAR(40) NULL,
    height FLOAT(53) NULL,
    resolution FLOAT(53) NULL,
    valid_from DATETIME2(7) NOT NULL,
    valid_to DATETIME2(7) NULL,
    modified_at DATETIME2(7) NOT NULL CONSTRAINT df_sensor_modified_at DEFAULT SYSUTCDATETIME(),
    row_version ROWVERSION NOT NULL,
    CONSTRAINT pk_sensor PRIMARY KEY CLUSTERED (id),
    CONSTRAINT uq_sensor_valid_from UNIQUE (sensor_id, valid_from),
    CONSTRAINT fk_sensor_station FOREIGN KEY (station_id) REFERENCES dbo.station (station_id),
    CONSTRAINT ck_sensor_element CHECK (element IN (N'TA', N'HM', N'WS', N'PA', N'RN')),
    CONSTRAINT ck_sensor_position CHECK (position >= 1),
    CONSTRAINT ck_sensor_resolution CHECK (resolution > 0),
    CONSTRAINT ck_sensor_valid CHECK (valid_to > valid_from)
);

CREATE TABLE dbo.calibration (
    id INT IDENTITY(1, 1) NOT NULL,
    sensor_row INT NOT NULL,
    scale FLOAT(53) NOT NULL CONSTRAINT df_calibration_scale DEFAULT 1,
    offset_value FLOAT(53) NOT NULL CONSTRAINT df_calibration_offset_value DEFAULT 0,
    unit NVARCHAR(10) NOT NULL,
    valid_from DATETIME2(7) NOT NULL,
    valid_to DATETIME2(7) NULL,
    certificate NVARCHAR(40) NULL,
    modified_at DATETIME2(7) NOT NULL CONSTRAINT df_calibration_modified_at DEFAULT SYSUTCDATETIME(),
    row_version ROWVERSION NOT NULL,
    CONSTRAINT pk_calibration PRIMARY KEY CLUSTERED (id),
    CONSTRAINT uq_calibration_valid_from UNIQUE (sensor_row, valid_from),
    CONSTRAINT fk_calibration_sensor FOREIGN KEY (sensor_row) REFERENCES dbo.sensor (id),
    CONSTRAINT ck_calibration_scale CHECK (scale <> 0),
    CONSTRAINT ck_calibration_valid CHECK (valid_to > valid_from)
);

CREATE TABLE dbo.weather_hourly (
    id BIGINT IDENTITY(1, 1) NOT NULL,
    station_id NVARCHAR(16) NOT NULL,
    observed_at DATETIME2(7) NULL,
    temp FLOAT(53) NULL,
    dewp FLOAT(53) NULL,
    humid FLOAT(53) NULL,
    wind_dir FLOAT(53) NULL,
    wind_speed FLOAT(53) NULL,
    wind_gust FLOAT(53) NULL,
    precip FLOAT(53) NULL,
    pressure FLOAT(53) NULL,
    visib FLOAT(53) NULL,
    modified_at DATETIME2(7) NOT NULL
        CONSTRAINT df_weather_hourly_modified_at DEFAULT SYSUTCDATETIME(),
    row_version ROWVERSION NOT NULL,
    CONSTRAINT pk_weather_hourly PRIMARY KEY CLUSTERED (id),
    CONSTRAINT fk_weather_hourly_station
        FOREIGN KEY (station_id) REFERENCES dbo.station (station_id)
);

CREATE INDEX ix_weather_hourly_modified ON dbo.weather_hourly (modified_at, id);

-- For the history of a station. Not unique: in autumn the clock shows one hour twice.
CREATE INDEX ix_weather_hourly_observed ON dbo.weather_hourly (station_id, observed_at);

-- For reading history by time, as a backfill does.
CREATE INDEX ix_weather_hourly_time ON dbo.weather_hourly (observed_at, id);

CREATE TABLE dbo.aws_minute (
    id BIGINT IDENTITY(1, 1) NOT NULL,
    station_id NVARCHAR(16) NOT NULL,
    element NVARCHAR(2) NOT NULL,
    sensor_no INT NOT NULL CONSTRAINT df_aws_minute_sensor_no DEFAULT 1,
    observed_at DATETIME2(7) NULL,
    value FLOAT(53) NULL,
    direction FLOAT(53) NULL,
    gust FLOAT(53) NULL,
    quality NVARCHAR(10) NULL,
    modified_at DATETIME2(7) NOT NULL CONSTRAINT df_aws_minute_modified_at DEFAULT SYSUTCDATETIME(),
    row_version ROWVERSION NOT NULL,
    CONSTRAINT pk_aws_minute PRIMARY KEY CLUSTERED (id),
    CONSTRAINT fk_aws_minute_station
        FOREIGN KEY (station_id) REFERENCES dbo.station (station_id),
    CONSTRAINT ck_aws_minute_element CHECK (element IN (N'TA', N'HM', N'WS', N'PA', N'RN')),
    CONSTRAINT ck_aws_minute_sensor_no CHECK (sensor_no >= 1)
);

CREATE INDEX ix_aws_minute_modified ON dbo.aws_minute (modified_at, id);

CREATE INDEX ix_aws_minute_observed ON dbo.aws_minute (station_id, observed_at);

CREATE INDEX ix_aws_minute_time ON dbo.aws_minute (observed_at, id);
