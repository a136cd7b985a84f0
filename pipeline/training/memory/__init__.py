"""How much memory trainings take, and whether there is room for them."""
