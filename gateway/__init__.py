"""The model, interfaces and call machinery of the gateway."""
