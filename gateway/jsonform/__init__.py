"""Contract values as JSON, and back; and the JSON Schema that says so. Pure: no I/O, used by the CLI and by wires."""
