"""The tabs: each lays out its components and wires them to a handler."""
