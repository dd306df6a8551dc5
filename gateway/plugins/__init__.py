"""Plug-ins by name: what ships with the gateway and what other distributions add."""
