-- How often a sensor reports: the median step between its newest readings, as a job sees it.

CREATE TABLE weather.sensor_cadence (
    sensor_id  text        PRIMARY KEY,
    parameter  text        NOT NULL,
    cadence    interval    NOT NULL CHECK (cadence > INTERVAL '0'),
    steps      integer     NOT NULL,
    learned_at timestamptz NOT NULL DEFAULT now()
);

-- Learns the cadence of sensors that have none yet; with {"all": true} looks at all of them again.
-- Its signature is that of a job of TimescaleDB.
CREATE PROCEDURE ops.learn_cadence(job_id integer DEFAULT 0, config jsonb DEFAULT '{"all": true}')
LANGUAGE plpgsql AS $procedure$
DECLARE
    name text;
    -- Those that metadata tells of.
    sensors text := '
        SELECT DISTINCT sensor_id FROM weather.sensor
        WHERE parameter = %1$L AND deleted_at IS NULL
          AND sensor_id NOT IN (SELECT sensor_id FROM weather.sensor_cadence)';
    -- Those that readings tell of: by the index from one to the next, past what lies between.
    hop text := '
        WITH RECURSIVE hop AS (
            (SELECT sensor_id FROM weather.%1$I ORDER BY sensor_id LIMIT 1)
            UNION ALL
            SELECT (SELECT sensor_id FROM weather.%1$I WHERE sensor_id > hop.sensor_id
                    ORDER BY sensor_id LIMIT 1)
            FROM hop WHERE hop.sensor_id IS NOT NULL
        )
        SELECT sensor_id FROM hop WHERE sensor_id IS NOT NULL';
BEGIN
    IF coalesce((config ->> 'all')::boolean, false) THEN
        sensors := hop;
    END IF;
    FOREACH name IN ARRAY ARRAY['rainfall', 'temperature', 'humidity', 'wind', 'pressure'] LOOP
        EXECUTE format('
            INSERT INTO weather.sensor_cadence AS known (sensor_id, parameter, cadence, steps)
            SELECT sensor_id, %1$L, found.cadence, found.steps
            FROM (' || sensors || ') AS sensor
            CROSS JOIN LATERAL (
                SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY step) AS cadence,
                       count(*)::integer AS steps
                FROM (
                    SELECT observed_at - lag(observed_at) OVER (ORDER BY observed_at) AS step
                    FROM (
                        SELECT observed_at FROM weather.%1$I AS reading
                        WHERE reading.sensor_id = sensor.sensor_id AND deleted_at IS NULL
                        ORDER BY observed_at DESC LIMIT 500
                    ) AS newest
                ) AS pair
                WHERE step IS NOT NULL
            ) AS found
            WHERE found.steps >= 3
            ON CONFLICT (sensor_id) DO UPDATE
            SET cadence = excluded.cadence, steps = excluded.steps, learned_at = now()', name);
    END LOOP;
END $procedure$;
REVOKE EXECUTE ON PROCEDURE ops.learn_cadence FROM PUBLIC;
