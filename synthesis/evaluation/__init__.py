"""Any engine answers questions under matched conditions, and what that says of it."""
