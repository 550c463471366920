"""What is shared: events, incidents, their records and slots, seal, projection, foreign formats."""
