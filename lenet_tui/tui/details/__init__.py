"""The details screen of one run."""
