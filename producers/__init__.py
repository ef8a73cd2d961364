"""The source stage: reads the increments of an AOS database and publishes them, exactly once."""
