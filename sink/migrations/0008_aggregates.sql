-- Aggregates of 10 minutes, hours and local days: continuous ones where there is TimescaleDB, and
-- plain views with the same columns where there is none.
--
-- A reading bears the end of its interval, so that windows are (start, end]: buckets begin a
-- microsecond late, and 00:00 belongs to the day before. What was deleted does not count; what
-- failed or is missing is counted as such, and has no part in means, sums and extremes.

CREATE SCHEMA rollup;

-- Makes rollup.<parameter>_<width>: what can be added up.
--
-- The buckets of a continuous aggregate are of one zone, but stations have many: so those of days
-- are UTC's, split by the local day and by the clock's distance from UTC, which every reading
-- tells by itself. The views add the parts up.
CREATE PROCEDURE ops.make_rollups(is_continuous boolean)
LANGUAGE plpgsql AS $procedure$
DECLARE
    of_value constant text := $sql$
        count(value) FILTER (WHERE flag NOT IN (4, 9)) AS value_count,
        sum(value)   FILTER (WHERE flag NOT IN (4, 9)) AS value_sum,
        min(value)   FILTER (WHERE flag NOT IN (4, 9)) AS value_min,
        max(value)   FILTER (WHERE flag NOT IN (4, 9)) AS value_max$sql$;
    -- A calm has no direction and weighs nothing; any other wind without one is no vector.
    of_wind constant text := replace(replace($sql$
        count(speed) FILTER (WHERE $speed) AS speed_count,
        sum(speed)   FILTER (WHERE $speed) AS speed_sum,
        min(speed)   FILTER (WHERE $speed) AS speed_min,
        max(speed)   FILTER (WHERE $speed) AS speed_max,
        max(gust)    FILTER (WHERE 4 NOT IN (flag_gust_range, flag_consistency)) AS gust_max,
        count(speed) FILTER (WHERE $vector) AS vector_count,
        sum(-speed * coalesce(sind(direction), 0)) FILTER (WHERE $vector) AS u_sum,
        sum(-speed * coalesce(cosd(direction), 0)) FILTER (WHERE $vector) AS v_sum$sql$,
        '$vector', '$speed AND (speed = 0 OR direction IS NOT NULL)
            AND 4 NOT IN (flag_direction_range, flag_direction_flat_line)'),
        '$speed', '4 NOT IN (flag_speed_range, flag_speed_step, flag_speed_spike,
            flag_speed_flat_line, flag_consistency)');
    of_day constant text := $sql$
        (observed_local - INTERVAL '1 microsecond')::date AS day,
        observed_local - (observed_at AT TIME ZONE 'UTC') AS utc_offset,
        min(observed_at) AS first_at,$sql$;
    made      text := 'VIEW rollup.%1$I';
    bucket    text := 'date_bin(%2$L, observed_at, ''2000-01-01 00:00:00.000001Z'')';
    ending    text := '';
    parameter text;
    width     text;
    step      interval;
BEGIN
    IF is_continuous THEN
        made := 'MATERIALIZED VIEW rollup.%1$I WITH (timescaledb.continuous,
            timescaledb.materialized_only = false, timescaledb.create_group_indexes = false)';
        bucket := 'time_bucket(%2$L, observed_at, "offset" => INTERVAL ''1 microsecond'')';
        ending := 'WITH NO DATA';
    END IF;
    DROP SCHEMA rollup CASCADE;
    CREATE SCHEMA rollup;
    FOR parameter, width, step IN
        SELECT p, w, s
        FROM unnest(ARRAY['rainfall', 'temperature', 'humidity', 'wind', 'pressure']) AS p,
             (VALUES ('10min', '10 minutes'), ('hour', '1 hour'), ('day', '1 day')) AS v (w, s)
    LOOP
        EXECUTE format('CREATE ' || made || ' AS
            SELECT station_id, sensor_id, ' || bucket || ' AS bucket,'
                || CASE width WHEN 'day' THEN of_day ELSE '' END || '
                count(*)                         AS readings,
                count(*) FILTER (WHERE flag = 1) AS good,
                count(*) FILTER (WHERE flag = 2) AS not_evaluated,
                count(*) FILTER (WHERE flag = 3) AS suspect,
                count(*) FILTER (WHERE flag = 4) AS failed,
                count(*) FILTER (WHERE flag = 9) AS missing,
                max(observed_at - interval_start) AS longest_interval,'
                || CASE parameter WHEN 'wind' THEN of_wind ELSE of_value END || '
            FROM weather.%3$I
            WHERE deleted_at IS NULL
            GROUP BY station_id, sensor_id, bucket'
                || CASE width WHEN 'day' THEN ', day, utc_offset ' ELSE ' ' END
                || ending, parameter || '_' || width, step, parameter);
        CONTINUE WHEN NOT is_continuous;
        EXECUTE format('CREATE INDEX ON rollup.%I (sensor_id, bucket DESC)',
            parameter || '_' || width);
        CONTINUE WHEN width <> 'day';
        EXECUTE format('CREATE INDEX ON rollup.%I (day, sensor_id)', parameter || '_' || width);
        EXECUTE format('CREATE INDEX ON rollup.%I (sensor_id, day DESC)', parameter || '_' || width);
    END LOOP;
END $procedure$;

-- Makes weather.<parameter>_<width>: what people ask.
--
-- Completeness is of the values that the sensor's cadence, or else its interval, lets expect; it is
-- complete from 80 % on. A day of summer time has 23 or 25 hours.
CREATE PROCEDURE ops.make_aggregate_views()
LANGUAGE plpgsql AS $procedure$
DECLARE
    of_value constant text := '
        value_sum / nullif(value_count, 0) AS value_mean,
        value_min, value_max, value_sum, value_count,';
    of_wind constant text := '
        speed_sum / nullif(speed_count, 0) AS speed_mean,
        speed_min, speed_max, speed_sum, speed_count, gust_max,
        vector.speed AS vector_speed,
        CASE WHEN vector.speed < 1e-9 THEN NULL
             WHEN vector.angle <= 0 THEN vector.angle + 360
             ELSE vector.angle END AS vector_direction,
        vector_count,';
    vector constant text := '
        CROSS JOIN LATERAL (
            SELECT sqrt(u_sum ^ 2 + v_sum ^ 2) / nullif(vector_count, 0), atan2d(-u_sum, -v_sum)
        ) AS vector (speed, angle)';
    day_of_value constant text := '
        sum(value_count)::bigint AS value_count, sum(value_sum) AS value_sum,
        min(value_min) AS value_min, max(value_max) AS value_max';
    day_of_wind constant text := '
        sum(speed_count)::bigint AS speed_count, sum(speed_sum) AS speed_sum,
        min(speed_min) AS speed_min, max(speed_max) AS speed_max, max(gust_max) AS gust_max,
        sum(vector_count)::bigint AS vector_count, sum(u_sum) AS u_sum, sum(v_sum) AS v_sum';
    windows constant text := '
        SELECT *, bucket - INTERVAL ''1 microsecond'' AS interval_start,
               bucket - INTERVAL ''1 microsecond'' + %2$L::interval AS interval_end
        FROM rollup.%1$I';
    days constant text := '
        SELECT *, (day - utc_offsets[1]) AT TIME ZONE ''UTC'' AS interval_start,
               (day + 1 - utc_offsets[cardinality(utc_offsets)]) AT TIME ZONE ''UTC''
                   AS interval_end
        FROM (
            SELECT station_id, sensor_id, day,
                   array_agg(utc_offset ORDER BY first_at) AS utc_offsets,
                   sum(readings)::bigint AS readings,
                   sum(good)::bigint AS good, sum(not_evaluated)::bigint AS not_evaluated,
                   sum(suspect)::bigint AS suspect, sum(failed)::bigint AS failed,
                   sum(missing)::bigint AS missing, max(longest_interval) AS longest_interval,
                   %3$s
            FROM rollup.%1$I
            GROUP BY station_id, sensor_id, day
        ) AS part';
    parameter text;
    width     text;
    step      interval;
    is_wind   boolean;
    is_day    boolean;
BEGIN
    FOR parameter, width, step IN
        SELECT p, w, s
        FROM unnest(ARRAY['rainfall', 'temperature', 'humidity', 'wind', 'pressure']) AS p,
             (VALUES ('10min', '10 minutes'), ('hour', '1 hour'), ('day', '1 day')) AS v (w, s)
    LOOP
        is_wind := parameter = 'wind';
        is_day := width = 'day';
        EXECUTE format('
            CREATE VIEW weather.%1$I AS
            SELECT station_id, sensor_id, ' || CASE WHEN is_day THEN 'day' ELSE 'bucket' END || ',
                   interval_start, interval_end,'
                   || CASE WHEN is_wind THEN of_wind ELSE of_value END || '
                   readings, good, not_evaluated, suspect, failed, missing, expected,
                   CASE WHEN %4$I > expected THEN 1 ELSE %4$I / expected END AS completeness,
                   %4$I >= 0.8 * expected AS is_complete
            FROM (' || CASE WHEN is_day THEN days ELSE windows END || ') AS total
            LEFT JOIN weather.sensor_cadence AS known USING (sensor_id)
            CROSS JOIN LATERAL (
                SELECT extract(epoch FROM interval_end - interval_start)::double precision
                       / nullif(extract(epoch FROM coalesce(cadence, longest_interval)), 0)
            ) AS due (steps_in_width)
            CROSS JOIN LATERAL (
                SELECT CASE WHEN steps_in_width < 1 THEN 1 ELSE round(steps_in_width) END
            ) AS whole (expected)' || CASE WHEN is_wind THEN vector ELSE '' END,
            parameter || '_' || width, step,
            CASE WHEN is_wind THEN day_of_wind ELSE day_of_value END,
            CASE WHEN is_wind THEN 'speed_count' ELSE 'value_count' END);
    END LOOP;
END $procedure$;

REVOKE EXECUTE ON PROCEDURE ops.make_rollups, ops.make_aggregate_views FROM PUBLIC;

CALL ops.make_rollups(is_continuous => false);
CALL ops.make_aggregate_views();
