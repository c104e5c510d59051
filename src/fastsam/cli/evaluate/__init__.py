"""`fastsam eval`: figures on annotated sets, one file a command."""
