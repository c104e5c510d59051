"""Words from a file, as they may stand on a terminal and in a line of an error."""

LONGEST = 80  # letters
JOINERS = "\u200c\u200d"  # between letters of Persian, of Indian languages, and of emoji


def shown(text: object, longest: int = LONGEST) -> str:
    """A text in which codes and line breaks are escaped as in `repr`, cut to `longest` letters.

    Of anything but text and a number only its type is shown: it may be nested without end.
    """
    if isinstance(text, (int, float)):
        text = repr(text) if not isinstance(text, int) or abs(text) < 1 << 64 else "a huge number"
    if not isinstance(text, str):
        return f"a {type(text).__name__}"
    whole = "".join(escaped(letter) for letter in text[: longest + 1])
    return whole if len(whole) <= longest else f"{whole[: longest - 3]}..."


def escaped(letter: str) -> str:
    """The letter, or its code if it is not one that a person sees: it may move, colour or turn what follows."""
    return letter if letter.isprintable() or letter in JOINERS else letter.encode("unicode_escape").decode()


def reason(error: BaseException, longest: int = 200) -> str:
    """An error's own words as one short line."""
    return shown(" ".join(str(error).split()), longest) or type(error).__name__
