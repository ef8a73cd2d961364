"""Learning what is usual from readings that are loaded, to be published as a ruleset."""
