"""Panel 2: the live curves."""
