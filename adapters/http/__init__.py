"""Drivers of HTTP bindings: the lean listener, the aiohttp site, and the pooled client."""
