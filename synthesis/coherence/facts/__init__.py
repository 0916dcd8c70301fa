"""What a question asks for and what a context states of it, read as facts: sides, values, candidates."""
