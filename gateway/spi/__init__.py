"""Interfaces between the gateway and everything pluggable. Import them from the module that names the concern."""
