"""What is wrong with a text, and whether it may stay: parsing, faults, filters, contamination."""
