"""rmi://: one connection for each call, pickled values, signed frames. The format stands in docs/rmi.md."""
