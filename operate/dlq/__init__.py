"""Dead letters: found, counted, read field by field, mended, and sent where they came from."""
