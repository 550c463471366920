"""A federation on a virtual clock; see README.md."""
