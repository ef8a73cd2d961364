"""Where each connector stands, and setting it back while it is stopped: never with a double.

A place can be set back, not on: what is skipped is lost, and nobody would know. What is read again
comes with the versions that it had, and an equal version is a repeat, everywhere.
"""
