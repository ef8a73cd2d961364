"""The contract between the stages: topics, Avro schemas, mapping, codecs, registry."""
