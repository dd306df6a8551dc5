"""hessian://: Hessian 1 and 2 over HTTP, in both directions, without I/O."""
