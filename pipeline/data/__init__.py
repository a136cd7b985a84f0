"""Labelled text, from its source to token ids: read, cleaned, split, checked for duplicates, encoded, drawn from."""
