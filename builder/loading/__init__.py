"""Reading a dataset: a config as it is, or samples of any length made from a raw one."""
