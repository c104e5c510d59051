"""`fastsam eval`: figures on annotated sets, one file per command."""
