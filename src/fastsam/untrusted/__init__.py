"""Readers for files that are not trusted: budgets, zips, pickles, ONNX files, npz files."""
