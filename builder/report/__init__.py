"""How a report is made: what is read of a folder, and the page that shows it."""
