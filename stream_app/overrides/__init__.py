"""What people say of readings, above what the tests say."""
