"""One file per command. Each takes the overrides and returns the exit code."""
