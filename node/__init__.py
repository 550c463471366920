"""The machine: database, clock, HTTP doors, pages, command line."""
