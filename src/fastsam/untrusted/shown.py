"""Makes text from a file safe for a terminal and for an error of one line."""

LONGEST = 80  # default maximum letters
JOINERS = "\u200c\u200d"  # used in Persian, in Indian languages, and in emoji


def shown(text: object, longest: int = LONGEST) -> str:
    """A text with control characters and line breaks escaped as in `repr`, cut to `longest` letters.

    For anything but text and numbers only the type is shown, because it could be nested without end.
    """
    if isinstance(text, (int, float)):
        text = repr(text) if not isinstance(text, int) or abs(text) < 1 << 64 else "a huge number"
    if not isinstance(text, str):
        return f"a {type(text).__name__}"
    whole = "".join(escaped(letter) for letter in text[: longest + 1])
    return whole if len(whole) <= longest else f"{whole[: longest - 3]}..."


def escaped(letter: str) -> str:
    """The letter, or its escape if it is invisible: it could move, colour or turn the text after it."""
    return letter if letter.isprintable() or letter in JOINERS else letter.encode("unicode_escape").decode()


def reason(error: BaseException, longest: int = 200) -> str:
    """The text of an error as one short line."""
    return shown(" ".join(str(error).split()), longest) or type(error).__name__
