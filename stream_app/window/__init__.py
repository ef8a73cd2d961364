"""What the stream remembers of a partition, for tests that look at neighbours in time and place."""
