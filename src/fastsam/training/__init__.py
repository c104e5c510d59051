"""The trainer: COCO instances in, checkpoints out.

One step reads: `data` (photos and masks in memory) -> `augment` (one sample) -> `loader` (batches) -> network ->
`assign` (which anchor answers for which object) -> `losses` -> `learner` (optimiser, EMA) -> `loop` (log, checkpoint).
Needs the `train` extra (torch).
"""
