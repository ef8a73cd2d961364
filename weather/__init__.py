"""The science, pure: units, time, coordinates, cleaning and judging. Arrays in, arrays out, no I/O."""
