"""Short connections on blocking sockets: threads do the input and output, the event loop runs the calls."""
