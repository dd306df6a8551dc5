"""Thrift's interface description language, read and written."""
