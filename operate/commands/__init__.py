"""The commands of ``aos``, a module for each family; `operate.cli` loads the one that is called."""
