"""What commands have in common: each a step that several of them take."""
