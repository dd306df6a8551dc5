"""The model, interfaces and call machinery of the gateway."""

__distribution__ = "polyport"
