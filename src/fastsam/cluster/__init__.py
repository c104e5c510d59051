"""Segments millions of photos on a cluster, with Ray Data. Needs the `cluster` extra.

The path of a photo: `storage` (any file system) -> `chunks` (which photos make one part of the output) -> `photos`
(their bytes) -> `actor` (network, rows) -> `parts` (Parquet files, whole or absent) -> `engine` (Ray) -> `job` (what is
left to do, progress). `reading` turns a row back into `Segments`. Call it from Python as `fastsam.cluster.job.segment`.
"""
