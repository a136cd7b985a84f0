"""What the columns of somebody's table are, by their cells and headings."""
