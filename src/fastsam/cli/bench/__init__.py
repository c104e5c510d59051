"""`fastsam bench`: speeds, as ratios within one run, one file per command."""
