"""Calls kept for later: how they are written down, stores that keep them, and what resends them."""
