"""Real processes, killed and stopped behind lines that break."""
