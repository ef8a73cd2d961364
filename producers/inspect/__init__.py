"""What a source holds, how good it is, how much of it there is, and how it might be mapped."""
