"""A base's files: where they are, what they declare, and what a network takes from them."""
