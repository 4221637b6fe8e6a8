"""What the measurements of runs support, and what they don't."""
