"""Networks for task kinds: what transformers' auto classes give, and heads of our own."""
