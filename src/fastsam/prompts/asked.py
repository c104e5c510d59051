"""Everything that one call asks, as prompts in order.

Enters: prompts, coordinates, masks and words as a caller gives them. Leaves: `Prompt`s.
"""

from typing import Any

from fastsam.errors import UsageError
from fastsam.prompts.prompt import Prompt, checked_texts
from fastsam.values import listed


def asked(prompts: Any, points: Any, labels: Any, boxes: Any, masks: Any, texts: Any, exclude: Any) -> list[Prompt]:
    """The `prompts`, then `points` together as one, then one for each of `boxes`, `masks` and `texts`.

    None and lists without entries ask nothing. Raises UsageError for anything that is not a prompt.
    """
    found = [prompts] if isinstance(prompts, Prompt) else listed(prompts, "prompts")
    if any(not isinstance(p, Prompt) for p in found):
        raise UsageError("prompts must be Prompt values: for coordinates say points= or boxes=")
    clicks, marks = listed(points, "points"), None if labels is None else listed(labels, "labels")
    if clicks or marks:
        found.append(Prompt(points=clicks, labels=marks))
    found += [Prompt(box=box) for box in listed(boxes, "boxes")]
    found += [Prompt(mask=mask) for mask in listed(masks, "masks")]
    words = checked_texts(() if texts is None else texts, "texts")
    others = checked_texts(() if exclude is None else exclude, "exclude")
    if others and not words:
        raise UsageError(f"exclude {list(others)} needs texts from whose answers it takes")
    return found + [Prompt(text=text, exclude=others) for text in words]
