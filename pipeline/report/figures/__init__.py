"""The figures of reports: for each what it shows, how that is computed, and how it is drawn."""
