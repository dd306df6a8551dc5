"""One module per section of the configuration file; attributes are called as their YAML keys."""
