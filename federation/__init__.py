"""How packages travel, and why we believe them."""
