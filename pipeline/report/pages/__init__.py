"""Pages beside a report that show texts of the data."""
