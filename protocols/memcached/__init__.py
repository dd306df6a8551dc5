"""memcached://: the text and meta commands of memcached 1.6, and a form of calls for every method in them."""
