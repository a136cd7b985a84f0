"""What a network is spared: padding, positions nobody reads, rows of the embedding that no text uses."""
