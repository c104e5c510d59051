"""Measures against annotated sets."""
