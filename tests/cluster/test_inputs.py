"""Photos in folders, globs, WebDataset shards, Parquet tables and on S3, written by other libraries."""

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs

from fastsam.cluster import chunks, photos
from fastsam.cluster.chunks import Chunk
from fastsam.cluster.parts import sample_name
from fastsam.cluster.reading import read
from fastsam.cluster.storage import Place, listed, place_of, read_bytes, split_glob, whole
from fastsam.errors import UsageError


def all_of(address: str, **options: Any) -> dict[str, bytes | Exception]:
    """Every photo of an input by key; the number that chunks tell must be right."""
    place, found = chunks.find(address, **options)
    read = [list(photos.read(place, chunk, **options)) for chunk in found]
    assert all(chunk.count in (None, len(some)) for chunk, some in zip(found, read, strict=True))
    everything = [row for some in read for row in some]
    assert len(dict(everything)) == len(everything)
    return dict(everything)


def test_a_folder_is_read_however_deep(few: Path) -> None:
    found = all_of(str(few))
    assert found == {f.relative_to(few).as_posix(): f.read_bytes() for f in few.rglob("*.jpg")}


def test_folders_with_an_underscore_and_all_that_is_hidden_are_left_out(few: Path, tmp_path: Path) -> None:
    photo = next(few.rglob("*.jpg")).read_bytes()
    for name in ("a.jpg", "_DSC0001.JPG", "_c/d.jpg", ".e/f.jpg", "g/.h.jpg", "i/j.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(photo)
    assert set(all_of(str(tmp_path))) == {"a.jpg", "_DSC0001.JPG", "i/j.jpg"}


@pytest.mark.parametrize(
    ("glob", "matching"),
    [
        ("*.jpg", ["a.jpg"]),
        ("**/*.jpg", ["a.jpg", "b/c.jpg", "b/d/e.jpg"]),
        ("b/*", ["b/c.jpg", "b/c.png", "b/f.png"]),
        ("b/**/[a-e].jpg", ["b/c.jpg", "b/d/e.jpg"]),
        ("b/[!c].png", ["b/f.png"]),
        ("b/?.jpg", ["b/c.jpg"]),
        ("b/**", ["b/c.jpg", "b/d/e.jpg", "b/c.png", "b/f.png"]),
    ],
)
def test_globs_mean_what_a_shell_means(glob: str, matching: list[str]) -> None:
    names = ["a.jpg", "b/c.jpg", "b/d/e.jpg", "b/c.png", "b/f.png"]
    base, wanted = split_glob(f"/photos/{glob}")
    assert wanted is not None
    prefix = base.removeprefix("/photos").strip("/")
    inside = [name.removeprefix(prefix).strip("/") for name in names if name.startswith(prefix)]
    full = [f"{prefix}/{name}".strip("/") for name in inside if wanted.fullmatch(name)]
    assert full == matching


def test_one_photo_is_an_input(few: Path) -> None:
    assert set(all_of(str(few / "odd" / "0001.jpg"))) == {"0001.jpg"}


def test_shards_that_webdataset_wrote(few: Path, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    files = sorted(few.rglob("*.jpg"))
    for k in range(2):
        with webdataset.TarWriter(str(tmp_path / f"shard-{k}.tar")) as writer:
            for file in files[k::2]:
                writer.write({"__key__": file.stem, "jpg": file.read_bytes(), "json": {"k": k}})
    found = all_of(f"{tmp_path}/shard-*.tar")
    assert found == {f"shard-{n % 2}.tar/{file.stem}.jpg": file.read_bytes() for n, file in enumerate(files)}


def test_a_shard_cut_short_gives_what_is_whole_and_says_the_rest(few: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.tar"
    with tarfile.open(file, "w") as archive:
        for photo in sorted(few.rglob("*.jpg")):
            archive.add(photo, photo.name)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    found = all_of(str(file))
    assert 3 < len(found) < 20
    assert "the shard is damaged" in str(found["a.tar"])
    assert all(isinstance(content, bytes) for key, content in found.items() if key != "a.tar")


@pytest.mark.parametrize("kind", ["bytes", "struct"])
def test_tables_with_a_column_of_bytes(few: Path, tmp_path: Path, kind: str) -> None:
    files = sorted(few.rglob("*.jpg"))
    content: list[Any] = [file.read_bytes() for file in files]
    images = content if kind == "bytes" else [{"bytes": c, "path": f.name} for c, f in zip(content, files, strict=True)]
    columns = {"image": images, "label": list(range(len(files)))}
    if kind == "bytes":
        columns["file_name"] = [file.name for file in files]
    pq.write_table(pa.table(columns), tmp_path / "photos.parquet", row_group_size=8)
    assert len(chunks.find(str(tmp_path))[1]) == 3
    assert all_of(str(tmp_path)) == {f"photos.parquet/{f.name}": f.read_bytes() for f in files}
    place, _ = chunks.find(str(tmp_path))
    assert photos.one(place, f"photos.parquet/{files[9].name}") == files[9].read_bytes()


def test_a_table_without_keys_counts_its_rows(few: Path, tmp_path: Path) -> None:
    content = [file.read_bytes() for file in sorted(few.rglob("*.jpg"))[:5]]
    table = pa.table({"a": [*content[:4], None], "b": content})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=3)
    with pytest.raises(UsageError, match="2 columns of bytes"):
        chunks.find(str(tmp_path))
    with pytest.raises(UsageError, match="no column 'c': its columns are a, b"):
        chunks.find(str(tmp_path), columns=("c", "a"))
    found = all_of(str(tmp_path / "t.parquet"), columns=(None, "a"))
    assert [found[f"t.parquet#{k}"] for k in range(4)] == content[:4]
    assert "no bytes" in str(found["t.parquet#4"])


def test_a_chunk_is_named_by_what_it_holds() -> None:
    a, b = chunks.of_paths(["a.jpg", "b.jpg"]), chunks.of_paths(["a.jpg"])
    assert a.name == Chunk(**vars(a)).name != b.name
    assert (a.paths, a.count) == (["a.jpg", "b.jpg"], 2)
    assert a.without({"b.jpg", "c.jpg"}) == b
    assert b.without({"a.jpg"}) is None


def test_a_part_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    place = place_of(str(tmp_path / "new" / "part"))

    def fail() -> None:
        with whole(place) as file:
            file.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not [f for f in tmp_path.rglob("*") if f.is_file()]
    with whole(place) as file:
        file.write_text("all")
    assert [f.read_text() for f in tmp_path.rglob("*") if f.is_file()] == ["all"]


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (b"\xff\xd8\xff\xe0", ".jpg"),
        (b"\x89PNG\r\n\x1a\n", ".png"),
        (b"RIFF\0\0\0\0WEBP", ".webp"),
        (b"BM", ".bmp"),
        (b"GIF89a", ".gif"),
        (b"II*\0", ".tif"),
        (b"\0\0\0\x18ftypavif\0\0\0\0avif", ".avif"),
        (b"FLV\1", ".tif"),
        (b"", ".tif"),
    ],
)
def test_a_sample_without_a_suffix_has_its_contents(content: bytes, suffix: str) -> None:
    assert sample_name("a/b", content, set()) == ("a/b", suffix)
    assert sample_name("a.png", content, set()) == ("a", ".png")


def test_a_broken_table_is_a_failure_among_others(few: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [f.read_bytes() for f in few.rglob("*.jpg")]}), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-9])
    found = all_of(str(tmp_path))
    assert [key for key, content in found.items() if not isinstance(content, bytes)] == ["b.parquet#group0"]
    assert len(found) == 22


def test_a_file_system_that_only_fsspec_knows_has_its_folders_made_and_no_half_files() -> None:
    place = place_of("memory://a/b/part.parquet")
    for content in ("first", "second"):  # as an attempt after another
        with whole(place) as file:
            file.write_text(content)
    assert read_bytes(place) == b"second"
    with pytest.raises(OSError, match="full"), whole(Place(Full(place.files), place.path)) as file:
        file.write_text("third, which is longer")
    assert read_bytes(place) == b"second"
    names = [f.path for f in place.files.get_file_info(fs.FileSelector("a", recursive=True)) if f.is_file]
    assert [name.lstrip("/") for name in names] == ["a/b/part.parquet"]


class Full:
    """A file system whose disk is full after a few bytes."""

    def __init__(self, files: Any) -> None:
        self.files, self.type_name = files, files.type_name

    def __getattr__(self, name: str) -> Any:
        return getattr(self.files, name)

    def open_output_stream(self, path: str) -> Any:
        stream = self.files.open_output_stream(path)

        class Stream:
            def __enter__(self) -> Any:
                return self

            def __exit__(self, *_: object) -> None:
                stream.close()

            def write(self, data: bytes) -> int:
                stream.write(data[:5])
                raise OSError("the disk is full")

        return Stream()


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    """A server that speaks S3 on this machine, with a bucket: the environment that leads to it."""
    server = pytest.importorskip("moto.server", reason="moto is not installed").ThreadedMotoServer(port=0)
    server.start()
    import boto3

    host, port = server.get_host_and_port()
    env = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in env.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="photos")
        yield env
    server.stop()


def test_a_job_in_a_bucket_is_killed_and_goes_on(
    s3: dict[str, str], few: Path, start: Any, outcome: Callable[..., Any], tmp_path: Path
) -> None:
    import boto3

    client = boto3.client("s3")
    for file in few.rglob("*.jpg"):
        client.put_object(Bucket="photos", Key=f"in/{file.relative_to(few).as_posix()}", Body=file.read_bytes())
    words = ("s3://photos/in", "s3://photos/out", "--format", "webdataset", "--format", "coco", "--part", "3")

    def written() -> list[list[str]]:
        place = place_of("s3://photos/out")
        return list(listed(place)) if place.files.get_file_info(place.path).type != fs.FileType.NotFound else []

    first = start(*words)
    until = time.monotonic() + 120
    while not [n for some in written() for n in some if n.endswith(".parquet") and "/" not in n]:
        assert time.monotonic() < until, first.end()
        time.sleep(0.05)
    first.kill()
    code, out, err = start(*words).end()
    assert (code, out) == (1, "s3://photos/out: 20 photos in 7 parts, 1 failed\n"), err
    rows, failed = outcome(place_of("s3://photos/out"))
    assert {row["key"] for row in rows} | set(failed) == set(all_of("s3://photos/in"))

    def listing() -> dict[str, Any]:
        found = client.list_objects_v2(Bucket="photos", Prefix="out")["Contents"]
        return {f["Key"]: f["LastModified"] for f in found if not f["Key"].endswith("/")}

    made = listing()
    assert start(*words).end()[0] == 1
    again = listing()
    assert {k: v for k, v in made.items() if "_model" not in k} == {k: v for k, v in again.items() if "_model" not in k}

    samples, annotations = {}, []
    for key in made:
        body = client.get_object(Bucket="photos", Key=key)["Body"].read()
        if key.startswith("out/_webdataset/"):
            with tarfile.open(fileobj=io.BytesIO(body)) as archive:
                samples |= {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
        if key.startswith("out/_coco/"):
            annotations += json.loads(body)["annotations"]
    assert {n: c for n, c in samples.items() if n.endswith(".jpg")} == {
        row["key"]: (few / row["key"]).read_bytes() for row in rows
    }
    assert len(annotations) == sum(len(row["rle"]) for row in rows)
    some = rows[0]
    assert [s["segmentation"]["counts"] for s in json.loads(samples[some["key"][:-4] + ".json"])["segments"]] == some[
        "rle"
    ]
    segments = read("s3://photos/out", some["key"], with_photo=True)
    assert segments.photo is not None
    assert segments.masks.areas.tolist() == some["areas"]


def test_links_that_lead_back_are_not_followed_for_ever(few: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(next(few.rglob("*.jpg")).read_bytes())
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "back").symlink_to(tmp_path)
    assert set(all_of(str(tmp_path))) == {"a.jpg"}
