"""Patient data in texts and fields, found before anything is stored."""
