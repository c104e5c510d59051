"""An extension of Griffe: docstrings that give their parameters as lines `name: meaning` are shown as lists."""

import re

import griffe

ITEM = re.compile(r"(?:^|(?<=; ))((?:[a-z_]+(?:, )?)+): (?=\S)")


class Lists(griffe.Extension):
    """Turns such lines into Markdown lists. NumPy-style sections stay as they are."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        if obj.docstring is not None:
            obj.docstring.value = listed(obj.docstring.value)


def listed(text: str) -> str:
    """The docstring, each `name: meaning` on a line of its own as an item of a list."""
    summary, _, rest = text.partition("\n\n")
    blocks = [block if not ITEM.match(block) or "\n---" in block else items(block) for block in rest.split("\n\n")]
    return "\n\n".join([summary, *blocks]) if rest else summary


def items(block: str) -> str:
    """One paragraph of such lines; a line without a name carries the one before on."""
    parts: list[str] = []
    for line in block.splitlines():
        if ITEM.match(line) or not parts:
            parts.append(line)
        else:
            parts[-1] += " " + line
    split = [piece.rstrip("; ") for part in parts for piece in re.split(r"(?<=; )(?=(?:[a-z_]+(?:, )?)+: )", part)]
    return "\n".join("- " + ITEM.sub(lambda found: "**" + found[1] + "**: ", piece, count=1) for piece in split)
