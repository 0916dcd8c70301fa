"""What ``builder.export.write`` is made of: finding rows, masking and packing them, writing files."""
