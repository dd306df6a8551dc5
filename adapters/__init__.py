"""I/O around the pure codecs of `protocols`: listeners and clients."""

__distribution__ = "polyport"
