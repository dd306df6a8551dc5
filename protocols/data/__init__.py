"""An interface on a real Redis or memcached: which method is which command, and what its arguments and answers are."""
