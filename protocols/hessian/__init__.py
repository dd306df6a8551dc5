"""Hessian 2 as Dubbo speaks it: bytes to Python values and back, with or without a contract."""
