"""Foreign formats: read into what is shared, and written from what a reader may see."""
