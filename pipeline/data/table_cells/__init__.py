"""From the cells of a table to texts, labels and numbers, however they are spelt."""
