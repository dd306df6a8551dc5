"""Load balancers: which of several providers gets the next call. One file, one balancer."""
