"""Services that were described elsewhere: their WSDLs as contracts."""
