"""From the stream into Kafka: what a batch leaves behind, and how it is delivered."""
