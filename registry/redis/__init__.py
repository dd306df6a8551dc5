"""The Redis registry in Dubbo's layout. In here `redis` is still the client library: all imports are absolute."""
