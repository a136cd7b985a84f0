"""Pure statistics: arrays in, numbers out. Randomness comes from an explicit numpy Generator only."""
