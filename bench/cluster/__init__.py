"""Simulates gateways and their providers on a clock of its own: `python -m bench.cluster`.

Real are directory, health, candidates, cluster modes and balancers, put together by `open_reference` as in a gateway.
Simulated are time, the wire and the providers behind it.
"""
