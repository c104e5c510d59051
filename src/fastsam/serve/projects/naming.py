"""Classes over all photos of a folder: how many objects each has, and another name for one.

Enters: a `Folder`. Leaves: counts, files.
"""

from collections import Counter
from pathlib import Path

from fastsam.serve.problems import Problem
from fastsam.serve.projects import instances
from fastsam.serve.projects import labels as files
from fastsam.serve.projects.folder import CLASSES, Folder, parsed

Names = dict[str, int]
Changed = dict[str, tuple[str | None, str]]  # versions before and after by photo


def counts(folder: Folder) -> dict[str, Names]:
    """How many objects of each class each photo has; photos without objects are left out."""
    kept = instances.states_of(folder.content()) if folder.coco else {}
    others = folder.others()
    found = {}
    for photo in folder.photos():
        one = kept.get(folder.known_as(photo, kept))
        names = dict(one[1]) if one else of_file(folder, folder.labels_path(folder.root / photo))
        if names is None:
            names = dict(Counter(name for _, name in others.get(folder.known_as(photo, others), [])))
        if names:
            found[photo] = names
    return found


def of_file(folder: Folder, file: Path) -> Names | None:
    """How many objects of each class a labelme file has; None if there is none. A file that cannot be read has none."""
    if not folder.is_inside(file):
        return None
    stamp = file.stat().st_mtime_ns
    if folder.counted.get(file, (0, {}))[0] != stamp:
        try:
            content = parsed(file, folder.bytes_of(file) or b"")
        except Problem:
            content = {}
        folder.counted[file] = (stamp, dict(Counter(files.name_of(shapes) for shapes in files.grouped(content))))
    return folder.counted[file][1]


def rename(folder: Folder, old: str, new: str) -> Changed:
    """Gives a class another name in all photos, and in the list of classes; each photo's version before and after.

    Raises problems as `Folder.save` does, and 409 for a name that another class has.
    """
    new = " ".join(new.split())
    if not new:
        raise Problem(422, "a class needs a name")
    if new in folder.classes():
        raise Problem(409, f"there is a class {new[:60]!r} already: choose the objects and give them that class")
    changed = rename_in_whole(folder, old, new) if folder.coco else {}
    for photo, names in counts(folder).items():
        if old in names:
            labels = folder.read(photo)
            objects = [one.model_copy(update={"name": new}) if one.name == old else one for one in labels.objects]
            changed[photo] = (labels.version, folder.save(photo, labels.model_copy(update={"objects": objects})))
    with folder.alone():
        every = [new if name == old else name for name in folder.classes()]
        folder.write(folder.root / CLASSES, "".join(name + "\n" for name in dict.fromkeys(every)).encode())
    return changed


def rename_in_whole(folder: Folder, old: str, new: str) -> Changed:
    """The same in the COCO file: one name of a category, so that all rows stay as they are."""
    with folder.alone():
        content = folder.content()
        states, made = instances.states_of(content), instances.renamed(content, old, new)
        names = {photo: folder.known_as(photo, states) for photo in folder.photos()}
        found = {photo: name for photo, name in names.items() if old in states.get(name, (False, {}))[1]}
        if found:
            folder.save_whole(made)
    versions = {photo: [instances.version_of(each, name) for each in (content, made)] for photo, name in found.items()}
    return {photo: (before, after or "") for photo, (before, after) in versions.items()}
