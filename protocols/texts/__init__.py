"""What wires have in common whose calls are lines of text: redis:// and memcached://."""
