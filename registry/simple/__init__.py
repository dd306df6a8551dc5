"""A registry that any gateway can be: nothing to install, served over our own wire."""
