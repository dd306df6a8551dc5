"""Fault-tolerance modes: what to do when a provider does not answer. One file, one mode."""
