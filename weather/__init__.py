"""The science, pure: units, time, places, cleaning, judging. Arrays in, arrays out, no I/O."""
