"""Weights: bundled and published ones, and readers for checkpoints of others."""
