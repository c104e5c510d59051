"""Runs exported networks: one file per runtime, each with `load` and an object that has `run`."""
