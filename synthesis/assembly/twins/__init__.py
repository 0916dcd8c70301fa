"""Twins of a sample: the same but for its evidence, so that another reply is right."""
