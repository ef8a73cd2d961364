"""The REST API: Kafka Connect's shapes for our connectors, and beside them what Connect has not."""
