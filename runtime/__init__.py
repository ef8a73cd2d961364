"""Small, dull parts that every stage stands on: errors, retry, logs, settings, Kafka clients."""
