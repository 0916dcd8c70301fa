"""The narrative: banks of templates, a small world, a plan, and the writer that brings them together."""
