"""Panel 3: the table of runs, and exporting them."""
