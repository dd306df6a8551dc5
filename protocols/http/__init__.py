"""HTTP/1.1 as a carrier of calls: messages, framing, and what every wire over HTTP shares."""
