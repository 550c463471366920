"""The seal: signed logs of records whose slots anybody may withhold and nobody may change."""
