"""From Kafka into the stream: Faust bent to batches, and where reading goes on."""
