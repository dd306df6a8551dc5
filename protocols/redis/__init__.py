"""redis://: services as commands of RESP2 and RESP3."""
