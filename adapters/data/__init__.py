"""Outbound data mode of redis:// and memcached://: the methods of an interface are commands on a real server."""
