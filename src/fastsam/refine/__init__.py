"""Exact masks: a second network draws the mask of one thing from the pixels around it and the user's prompt."""
