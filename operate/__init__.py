"""What an operator touches: the command line, the settings of all stages, the demo."""
