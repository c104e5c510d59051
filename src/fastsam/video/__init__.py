"""Videos: frames in (`read.py`), videos out (`write.py`), and which mask is which object (`track.py`)."""
