"""From a pair to statements: questions turned into sentences, and facts of the same kind about others."""
