"""Filters around the services of a listener or around one service. One file, one filter, one options class."""
