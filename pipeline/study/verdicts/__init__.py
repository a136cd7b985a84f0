"""Claims judged: what is asked of the cells, what stands in the way, and the verdict."""
