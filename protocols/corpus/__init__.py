"""The values, misfits, faults and attachments every wire is tested with. Use them through `protocols.testing`."""
