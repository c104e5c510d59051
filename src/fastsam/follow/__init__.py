"""Following: what was picked in one frame of a video, frame after frame (`follower.py`, then down)."""
