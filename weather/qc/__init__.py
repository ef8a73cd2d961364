"""Quality tests, each a pure function from arrays to flags."""
