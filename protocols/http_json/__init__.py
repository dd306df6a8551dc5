"""http://: services as JSON over HTTP, by name, by path template and as JSON-RPC 2.0."""
