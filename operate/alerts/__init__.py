"""Alerts, for those without Prometheus: a few rules, evaluated here, told to whoever listens."""
