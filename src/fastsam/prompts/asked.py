"""Turns the arguments of one call into prompts, in order.

Enters: prompts, coordinates, masks and words, as given. Leaves: `Prompt`s.
"""

from typing import Any

from fastsam.errors import UsageError
from fastsam.prompts.prompt import Prompt, checked_texts
from fastsam.values import listed


def asked(prompts: Any, points: Any, labels: Any, boxes: Any, masks: Any, texts: Any, exclude: Any) -> list[Prompt]:
    """The `prompts`, then one for all `points` together, then one per entry of `boxes`, `masks` and `texts`.

    None and empty lists add no prompt. Calls, the command line and the service share this order. Raises UsageError for
    invalid prompts.
    """
    found = [prompts] if isinstance(prompts, Prompt) else listed(prompts, "prompts")
    if any(not isinstance(p, Prompt) for p in found):
        raise UsageError("prompts must be Prompt values: give coordinates as points= or boxes=")
    clicks, marks = listed(points, "points"), None if labels is None else listed(labels, "labels")
    if clicks or marks:
        found.append(Prompt(points=clicks, labels=marks))
    found += [Prompt(box=box) for box in listed(boxes, "boxes")]
    found += [Prompt(mask=mask) for mask in listed(masks, "masks")]
    words = checked_texts(() if texts is None else texts, "texts")
    others = checked_texts(() if exclude is None else exclude, "exclude")
    if others and not words:
        raise UsageError(f"exclude {list(others)} needs texts: give a text as well")
    return found + [Prompt(text=text, exclude=others) for text in words]
