"""The trainer: COCO instances in, checkpoints out.

One step reads: `data` (photos and masks in memory) -> `augment` (one sample) -> `loader` (batches) -> network ->
`assign` (which anchor answers for which object) -> `losses` -> `loop` (optimiser, EMA, log, checkpoint).
Needs the `train` extra (torch). Called by the command line only.
"""
