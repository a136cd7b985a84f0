"""What settings must satisfy, checked before anything runs."""
