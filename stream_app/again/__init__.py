"""Readings judged and sent again: what was known of their sensors has changed."""
