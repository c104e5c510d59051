"""A hook of MkDocs: the pages of the site that stand elsewhere in the repository, so that nothing is written twice.

The start page is README.md; the command line's page comes from the parser, the cookbook's from the scripts, the
reference from `fastsam.__all__`.
"""

import ast
import re
import sys
from pathlib import Path
from posixpath import normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).resolve().parent))
from site_plots import drawn, plots, with_pictures

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "cookbook": "cookbook.md",
    "src/fastsam/weights/bundled/README.md": "weights.md",
    "src/fastsam/weights/bundled/fastsam-open.md": "weights-open.md",
    "src/fastsam/weights/bundled/fastsam-refine.md": "weights-refine.md",
}
LINK = re.compile(r"(?<=\]\()([^)\s#]+)")
JOBS = (
    "count_things",
    "cut_out_products",
    "prelabel_folder",
    "blur_people",
    "measure_areas",
    "find_changes",
    "segment_video",
    "serve_team",
    "fine_tune",
    "small_device",
)  # in this order, others behind
FIRST = ("FastSAM", "Segments", "Prompt", "Pick", "Candidate", "read_image")
PLOTTED = {"index.md": "README.md", "performance.md": "docs/performance.md"}  # their tables are drawn as well
PICTURES = "cookbook"  # in docs: one per script that draws something
BESIDE = ("fastsam.segments.Segment", "fastsam.client.Client", "fastsam.client.KeptPhoto", "fastsam.client.Mask")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages, and each file of the repository that a page links to."""
    made = {page: (ROOT / source).read_text() for source, page in PAGES.items() if (ROOT / source).is_file()}
    made = {page: localised(text, source_of(page)) for page, text in made.items()}
    made |= {"commands.md": commands(), "cookbook.md": cookbook(), "reference.md": reference()}
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    for page, source in PLOTTED.items():
        for name, (_, plot) in zip(names_of(page), plots((ROOT / source).read_text()), strict=True):
            files.append(File.generated(config, name, content=drawn(plot)))
    written = [*(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")), *(p for p in PAGES if p.endswith(".md"))]
    for source in written:  # grows while it is read: files that are linked have links too
        for target in sorted(targets((ROOT / source).read_text(), source)):
            address = place_of(target)
            if (ROOT / target).is_file() and address.startswith("files/") and files.get_file_from_path(address) is None:
                files.append(File.generated(config, address, abs_src_path=str(ROOT / target)))
                written += [target] if target.endswith(".md") else []
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """A page of docs/, or a file that one links to, with its links led to where the site has what they name."""
    name = page.file.src_uri
    linked = name.startswith("files/")
    made = page.file.generated_by is not None and not linked
    source = name.removeprefix("files/") if linked else f"docs/{name}"
    text = markdown if made else localised(markdown, source)
    return spaced(with_pictures(text, names_of(name)) if name in PLOTTED else text)


def names_of(page: str) -> list[str]:
    """The plots of a page, one per table of figures."""
    many = len(plots((ROOT / PLOTTED[page]).read_text()))
    return [f"figures/{page.removesuffix('.md')}-{k + 1}.svg" for k in range(many)]


def targets(text: str, source: str) -> set[str]:
    """The paths in the repository that a Markdown file links to."""
    links = {link for link in LINK.findall(text) if "://" not in link and not link.startswith("mailto:")}
    return {normpath(f"{Path(source).parent.as_posix()}/{link}") for link in links}


def place_of(target: str) -> str:
    """Where the site has a path of the repository."""
    if target in PAGES:
        return PAGES[target]
    return target.removeprefix("docs/") if target.startswith("docs/") else f"files/{target}"


def source_of(page: str) -> str:
    """The path in the repository that a page comes from."""
    return next(source for source, made in PAGES.items() if made == page)


def localised(text: str, source: str) -> str:
    """The text with its links as the site has them."""
    here = Path(place_of(source)).parent.as_posix()

    def led(found: re.Match[str]) -> str:
        link = found[1]
        if "://" in link or link.startswith("mailto:"):
            return link
        return relpath(place_of(normpath(f"{Path(source).parent.as_posix()}/{link}")), here)

    return LINK.sub(led, text)


def spaced(text: str) -> str:
    """Markdown as GitHub reads it, for Python-Markdown: lists after an empty line, nested at four columns."""
    lines: list[str] = []
    code = False
    for line in text.splitlines():
        fence = line.lstrip().startswith("```")
        item = not code and re.match(r"\s*([-*]|\d+\.) ", line)
        if item and lines and lines[-1].strip() and not re.match(r"\s*([-*]|\d+\.) |\s", lines[-1]):
            lines.append("")
        shift = not code and not fence and re.match(r"  (?! )", line)
        lines.append(f"  {line}" if shift else line)
        code ^= fence
    return "\n".join(lines) + "\n"


def commands() -> str:
    """Every subcommand and flag, from the parser."""
    from fastsam.cli.main import app

    text: str = app.generate_docs(output_format="markdown", recursive=True)
    text = re.sub(r"## Table of Contents\n.*?(?=\n\*\*|\n## )", "", text, count=1, flags=re.DOTALL)
    return text.replace("# fastsam\n", "# Command line\n", 1)


def cookbook() -> str:
    """Each script with the words at its head, and the picture that it draws."""
    parts = ["# Cookbook\n\nTen jobs. Each is a script of the folder `cookbook/` that runs as it stands.\n"]
    for file in sorted((ROOT / "cookbook").glob("*.py"), key=lambda file: (place(JOBS, file.stem), file.stem)):
        code = file.read_text()
        words = ast.get_docstring(ast.parse(code)) or ""
        title, _, rest = words.partition("\n")
        body = code.split('"""', 2)[2].lstrip()
        drawn = ROOT / "docs" / PICTURES / f"{file.stem}.jpg"
        picture = f"![{title}]({PICTURES}/{drawn.name})\n\n" if drawn.is_file() else ""
        parts.append(f'## {title}\n{rest}\n\n{picture}```python title="cookbook/{file.name}"\n{body}```\n')
    return "\n".join(parts)


def reference() -> str:
    """The public names, from `fastsam.__all__`."""
    import fastsam

    names = sorted(fastsam.__all__, key=lambda name: place(FIRST, name))
    parts = [
        "# Python\n\n`fastsam.__all__` is what is stable: [how it may change](contributing.md#what-is-stable). "
        "Coordinates are pixels, xyxy, origin at the outer corner of the top-left pixel.\n"
    ]
    parts += [f"::: {path}\n" for path in (*(f"fastsam.{name}" for name in names), *BESIDE)]
    return "\n".join(parts).replace("::: fastsam.Segments\n", f"::: fastsam.Segments\n{members(fastsam.Segments)}")


def members(thing: type) -> str:
    """The option that shows a class with the methods of the files that it is made of, in their order."""
    names = [name for home in thing.__mro__ if home.__module__.startswith("fastsam.") for name in vars(home)]
    shown = ", ".join(name for name in dict.fromkeys(names) if not name.startswith("_"))
    return f"    options: {{inherited_members: true, members: [{shown}]}}\n"


def place(order: tuple[str, ...], name: str) -> int:
    """Where a name stands in an order, behind all others if it is not in it."""
    return order.index(name) if name in order else len(order)
