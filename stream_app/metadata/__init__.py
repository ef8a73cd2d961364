"""What readings are looked up in: sensors with their validity intervals, and mappings."""
