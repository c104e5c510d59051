"""What can be written of a photo: everything in it, or the answers to prompts."""

SEGMENTS = "application/vnd.fastsam.segments+npz"  # type of what `Segments.to_npz` gives
