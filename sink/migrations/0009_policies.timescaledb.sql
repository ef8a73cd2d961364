-- What TimescaleDB keeps of its own accord. When and how much is in the settings: `aos db migrate`
-- makes the policies say the same.

-- Compressed chunks hold the readings of a sensor side by side, the newest first.
DO $do$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['rainfall', 'temperature', 'humidity', 'wind', 'pressure'] LOOP
        EXECUTE format('ALTER TABLE weather.%I SET (timescaledb.enable_columnstore,
            timescaledb.segmentby = ''sensor_id'', timescaledb.orderby = ''observed_at DESC'')',
            name);
    END LOOP;
END $do$;

CALL ops.make_rollups(is_continuous => true);
CALL ops.make_aggregate_views();

-- The ledger grows with every batch, and is dropped by the day.
ALTER TABLE ops.sink_batch DROP CONSTRAINT sink_batch_pkey, ADD PRIMARY KEY (batch_id, started_at);
SELECT create_hypertable('ops.sink_batch', by_range('started_at', INTERVAL '1 day'),
    create_default_indexes => false, migrate_data => true);
