"""What a training starts from: network, inputs and heads, and what is checked before the first cell."""
