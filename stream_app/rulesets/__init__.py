"""Rulesets as people publish them while the stream runs: which judges what was observed when."""
