"""From a table to pages of raw readings: rows, columns, times, keys."""
