"""A plot for each table of figures on a page, drawn from the table itself.

Enters: Markdown. Leaves: the same with a picture under each such table, and the pictures as SVG.
"""

import io
import re
import textwrap
from dataclasses import dataclass

TABLE = re.compile(r"(?:^ *\|.*\n)+", re.MULTILINE)
UNITS = ("ms", "s", "%", "x", "MB", "GB")
VALUE = re.compile(rf"^([\d,]*\.?\d+) ?({'|'.join(UNITS)})?(?![\w.])(?!(?:, [\d.]+%?){{2}})")
GREY = "#808080"  # is read on white and on black
COLOURS = ("#e8590c", "#1c7ed6", "#2f9e44", "#ae3ec9", "#f08c00", "#0c8599")


@dataclass(frozen=True)
class Plot:
    """Bars: one group per row, one bar per series. unit: of all values; None: no value"""

    rows: list[str]
    series: dict[str, list[float | None]]
    unit: str


def plots(text: str) -> list[tuple[int, Plot]]:
    """Where each table of figures ends, and its plot."""
    found = ((match.end(), plot_of(match[0])) for match in TABLE.finditer(text))
    return [(end, plot) for end, plot in found if plot is not None]


def plot_of(table: str) -> Plot | None:
    """The columns of a table that hold numbers of its commonest unit; None for less than two rows of them."""
    lines = [
        [cell.strip().replace("*", "") for cell in line.strip().strip("|").split("|")] for line in table.splitlines()
    ]
    if len(lines) < 4 or set("".join(lines[1])) - set("-: "):
        return None
    head, rows = lines[0], [line for line in lines[2:] if len(line) == len(lines[0])]
    columns: dict[str, list[tuple[float, str] | None]] = {}
    for k, name in enumerate(head):
        cells = [row[k] for row in rows]
        pairs = [cell.split(" / ") for cell in cells]
        if all(len(pair) == 2 for pair in pairs):  # as it is / with something done
            columns |= {f"{name}, {which}": [value(p[i]) for p in pairs] for i, which in enumerate(("before", "after"))}
        elif k and sum(value(cell) is not None for cell in cells) * 2 > len(cells):
            columns[name] = [value(cell, name if name in UNITS else "") for cell in cells]
    units = [v[1] for values in columns.values() for v in values if v]
    if not units:
        return None
    unit = max(units, key=units.count)
    series = {name: [v[0] if v and v[1] == unit else None for v in values] for name, values in columns.items()}
    series = {name: values for name, values in series.items() if any(v is not None for v in values)}
    kept = [i for i in range(len(rows)) if any(values[i] is not None for values in series.values())]
    texts = [k for k, name in enumerate(head) if not any(s.split(", ")[0] == name or s == name for s in columns)]
    labels = [", ".join(rows[i][k].replace("`", "") for k in texts[:2]) for i in kept]
    return Plot(labels, {n: [v[i] for i in kept] for n, v in series.items()}, unit) if len(kept) > 1 else None


def value(cell: str, unit: str = "") -> tuple[float, str] | None:
    """The number that a cell begins with, and its unit; None for a list of three or more, and for anything else."""
    found = VALUE.match(cell)
    return (float(found[1].replace(",", "")), found[2] or unit) if found else None


def drawn(plot: Plot) -> str:
    """The plot as SVG, in colours that are read on light and dark pages."""
    from matplotlib.figure import Figure

    each = len(plot.series)
    figure = Figure(figsize=(7.2, 0.7 + len(plot.rows) * (0.16 * each + 0.14)), layout="constrained")
    axes = figure.subplots()
    for k, (name, values) in enumerate(plot.series.items()):
        places = [row + (k - (each - 1) / 2) * 0.8 / each for row in range(len(plot.rows))]
        bars = axes.barh(
            places, [v or 0 for v in values], 0.8 / each, color=COLOURS[k % len(COLOURS)], label=textwrap.fill(name, 24)
        )
        said = ["" if v is None else f"{v:g}" for v in values]
        axes.bar_label(bars, said, padding=2, fontsize=6, color=GREY)
    axes.set_yticks(range(len(plot.rows)), [textwrap.fill(row, 36) for row in plot.rows], fontsize=8, color=GREY)
    axes.invert_yaxis()
    axes.margins(x=0.08)
    axes.tick_params(axis="x", labelsize=7, colors=GREY)
    axes.set_xlabel(plot.unit, fontsize=8, color=GREY)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GREY)
    axes.legend(fontsize=7, frameon=False, labelcolor=GREY, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return file.getvalue()


def with_pictures(text: str, names: list[str]) -> str:
    """The text with a picture of that name under each table of figures."""
    for (end, _), name in reversed(list(zip(plots(text), names, strict=True))):
        text = f"{text[:end]}\n![The table above as bars]({name})\n\n{text[end:]}"
    return text
