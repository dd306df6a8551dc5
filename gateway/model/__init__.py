"""Pure data every part of the gateway shares: types, contracts, calls, endpoints, errors. Standard library only."""
