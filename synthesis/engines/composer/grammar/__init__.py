"""Just enough English, shared by all that read or write a sentence. Knows words, nothing of pairs."""
