"""From raw readings to Kafka: bytes, transactions, and what was published before."""
