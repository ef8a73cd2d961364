"""The sink: from the clean topics into TimescaleDB, exactly once."""
