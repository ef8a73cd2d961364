"""From raw records to clean ones: decoding, reading, the tests that look at one reading alone."""
