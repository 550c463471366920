"""Incidents: the NIS2 report, its fields and its clocks."""
