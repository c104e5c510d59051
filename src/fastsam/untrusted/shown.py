"""Words from a file, as they may stand on a terminal and in a line of an error."""

import unicodedata

LONGEST = 80  # letters
UNSEEN = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}  # Unicode's classes of control codes, halves of letters, line breaks
TURNS = set(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)  # change the direction of what follows


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
    """The letter, or its code if it is not one that a person sees."""
    hidden = unicodedata.category(letter) in UNSEEN or letter in TURNS
    return letter.encode("unicode_escape").decode() if hidden else letter


def reason(error: BaseException, longest: int = 200) -> str:
    """An error's own words as one short line."""
    return shown(" ".join(str(error).split()), longest) or type(error).__name__
