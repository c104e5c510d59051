"""Interfaces that people know from elsewhere, over the library: change an import, and code written for them runs.

`FastSAM` as Ultralytics has it, `FastSAMPrompt` and `FastSAMDecoder` of the published code, `SamPredictor` and
`SamAutomaticMaskGenerator` of Segment Anything. `python -m fastsam.compat.inference` is the published script.
"""

from fastsam.compat.port import FastSAM, Results
from fastsam.compat.published import FastSAMDecoder, FastSAMPrompt
from fastsam.compat.sam import SamAutomaticMaskGenerator, SamPredictor

__all__ = ["FastSAM", "FastSAMDecoder", "FastSAMPrompt", "Results", "SamAutomaticMaskGenerator", "SamPredictor"]
