"""How registries bear many services and providers."""
