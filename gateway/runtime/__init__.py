"""Puts the parts together: from a typed configuration to running listeners, and from a URL to a client."""
