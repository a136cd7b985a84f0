"""From a base and an arm to a network on the start line."""
