"""Runs compared side by side, and the verdicts on their differences."""
