"""The `fastsam` command: one file a subcommand, each a thin layer over the library."""
