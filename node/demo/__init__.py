"""The demo: three national nodes and the hub on loopback, played through their real doors."""
