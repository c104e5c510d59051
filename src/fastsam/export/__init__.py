"""A trained network becomes one file that needs no torch."""
