"""A study: plan its cells, run what is missing, find."""
