"""Providers found by multicast, compatible with Dubbo's: no server, one local network."""

from registry.multicast.plugin import PLUGIN

__all__ = ["PLUGIN"]
