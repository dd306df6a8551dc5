"""One port on which several wires are spoken."""
