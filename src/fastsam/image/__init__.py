"""A user's photo becomes an RGB array, and that array the network's input."""

import cv2

if not hasattr(cv2, "imdecodeWithMetadata"):
    raise ImportError(
        "the installed cv2 is broken or too old: pip uninstall -y opencv-python opencv-python-headless "
        "opencv-contrib-python opencv-contrib-python-headless, then pip install 'opencv-python-headless>=4.12' (or "
        "'opencv-python>=4.12' for imshow): one of them alone"
    )
