"""What runs an exported network: one file a runtime, each with `load` and an object that has `run`."""
