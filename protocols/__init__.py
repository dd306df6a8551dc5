"""Wires: bytes to messages to typed values and back. Pure: no sockets, no event loop, no clock, no logging."""

__distribution__ = "polyport"
