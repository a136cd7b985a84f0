"""What is kept on disk: finished cells, checkpoints, features and tensors."""
