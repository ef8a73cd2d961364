-- Chunks of seven days: TimescaleDB asks that the chunks being written fit in a quarter of memory.
-- A station network of 1,000 sensors and a reading a minute makes 10 million rows in that time.

CREATE EXTENSION IF NOT EXISTS timescaledb;

SELECT create_hypertable(
    'weather.' || name,
    by_range('observed_at', INTERVAL '7 days'),
    create_default_indexes => false,
    migrate_data => true
)
FROM unnest(ARRAY['rainfall', 'temperature', 'humidity', 'wind', 'pressure']) AS name;
