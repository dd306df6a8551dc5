"""Drives any codec of a long-lived TCP connection: listener, provider connections, and the call driver."""
