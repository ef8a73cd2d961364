"""Is everything there, and as it was? Source, topics and tables compared, reading by reading."""
