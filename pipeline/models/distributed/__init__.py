"""One network spread over several processes."""
