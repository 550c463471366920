"""The pages for people: sign in, see what is known, report an incident, publish, release, recall."""
