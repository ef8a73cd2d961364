"""``aos demo``: the main job on real data, on an embedded stack, from one command."""
