"""What ``builder.export`` is made of: finding rows, masking and packing them, writing files."""
