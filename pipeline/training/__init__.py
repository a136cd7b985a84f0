"""One cell: from its place on the start line to a finished result on disk."""
