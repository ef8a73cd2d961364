"""The work of each job, imported where it is done."""
