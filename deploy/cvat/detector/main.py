"""Nuclio's entry to CVAT's detector: every thing in a picture. fastsam.plugins.cvat does the work."""

from fastsam.plugins.cvat import answer, detect, load


def init_context(context):
    load(context)


def handler(context, event):
    return answer(context, event, detect)
