"""Registries: where providers announce themselves and consumers find them."""

__distribution__ = "polyport"
