"""Nuclio's entry to CVAT's interactor: the object that points and a box mean. fastsam.plugins.cvat does the work."""

from fastsam.plugins.cvat import answer, interact, load


def init_context(context):
    load(context)


def handler(context, event):
    return answer(context, event, interact)
