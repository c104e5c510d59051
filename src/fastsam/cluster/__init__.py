"""Photos by the million: the same call on a cluster, with Ray Data.

One photo's path: `storage` (any file system) -> `chunks` (which photos make one part of the output) -> `photos` (their
bytes) -> `actor` (network, rows) -> `parts` (Parquet, whole or not there) -> `engine` (Ray) -> `job` (what is missing,
progress); `reading` turns a row back into `Segments`. Needs the `cluster` extra. Called by the command line, and from
Python as `fastsam.cluster.job.segment`.
"""
