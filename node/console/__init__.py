"""The pages for people: see what is known, report an incident, publish, release, recall."""
