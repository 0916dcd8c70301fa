"""Texts as words, numbers, sentences and runs of words. Knows nothing of pairs or contexts."""
