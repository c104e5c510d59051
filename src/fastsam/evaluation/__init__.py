"""Measures results against annotated sets."""
