"""Datasets that a visitor looks into or takes away."""
