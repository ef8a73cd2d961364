"""Judging a part of the past once more, beside the live worker: what it finds goes elsewhere."""
