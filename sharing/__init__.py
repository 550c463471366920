"""What is shared: events, incidents, their records and slots, the seal, projections, foreign formats."""
