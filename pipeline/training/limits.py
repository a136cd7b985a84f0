"""What a worker is held to; imported by the coordinator, so without anything heavy."""

PREPARED = 128  # matrix products, each of one shape, that a worker keeps prepared
