"""Measurements: ours beside a peer or a limit, on the same machine, in the same run."""
