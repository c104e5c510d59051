"""Classes over all photos of a folder: how many objects each has, and another name for one.

Enters: a `Folder`. Leaves: counts, files.
"""

from collections import Counter
from pathlib import Path, PurePosixPath

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
        one = kept.get(photo) or kept.get(base(photo))
        names = dict(one[1]) if one else of_file(folder, folder.labels_path(folder.root / photo))
        if names is None:
            names = dict(Counter(name for _, name in others.get(photo) or others.get(base(photo)) or []))
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
        photos = [one for one in folder.photos() if old in (states.get(one) or states.get(base(one)) or (False, {}))[1]]
        if not photos:
            return {}
        folder.save_whole(made)
    return {one: (instances.version_of(content, one), instances.version_of(made, one) or "") for one in photos}


def base(photo: str) -> str:
    """A photo's name without its folders."""
    return PurePosixPath(photo).name
