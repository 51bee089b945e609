"""Files that are whole or not there, and JSON that says what it is."""

import hashlib
import os
import resource
import stat
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kg.errors import ForeignFileError, FormatVersionError
from kg.files import (
    atomic_write,
    read_json,
    refuse_special,
    sha256_of_file,
    sha256_of_text,
    write_json,
)


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole_at_the_end(tmp_path):
    path = tmp_path / "new" / "a.bin"
    with atomic_write(path) as file:
        file.write(b"one ")
        assert not path.exists()
        file.write(b"two")
    assert path.read_bytes() == b"one two"
    assert names(path.parent) == ["a.bin"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def interrupted() -> None:
        with atomic_write(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        interrupted()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_what_a_killed_process_left_is_swept_once_it_is_old(tmp_path):
    old, young, other = (
        tmp_path / name for name in (".a.bin.1.part", ".a.bin.2.part", ".b.bin.1.part")
    )
    for path in (old, young, other):
        path.write_bytes(b"half")
    for path in (old, other):
        os.utime(path, (time.time() - 7_200,) * 2)
    with atomic_write(tmp_path / "a.bin") as file:
        file.write(b"whole")
    assert names(tmp_path) == [".a.bin.2.part", ".b.bin.1.part", "a.bin"]


def test_a_file_that_cannot_be_written_is_the_operating_systems_error(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").touch()
    with pytest.raises(OSError, match="folder"), atomic_write(tmp_path / "folder") as file:
        file.write(b"x")
    assert names(tmp_path) == ["folder"]
    assert stat.S_ISDIR((tmp_path / "folder").stat().st_mode)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(blacklist_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(st.dictionaries(st.text("abc"), plain, max_size=4))
def test_json_reads_back_as_it_was_written_and_does_not_hang_on_order(tmp_path, value):
    write_json(tmp_path / "a.json", value)
    first = (tmp_path / "a.json").read_bytes()
    assert read_json(tmp_path / "a.json", kind="test") == value
    write_json(tmp_path / "a.json", dict(reversed(value.items())))
    assert (tmp_path / "a.json").read_bytes() == first


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    for path in (Path("/proc/nowhere.ttl"), taken):
        with pytest.raises(OSError, match=path.name) as refusal, atomic_write(path):
            pass
        assert refusal.value.filename == str(path)
    assert names(tmp_path) == ["taken"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"3", b"\xff\xfe{}", b"PK\x03\x04"])
def test_a_file_that_is_not_ours_is_refused(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ForeignFileError, match="not a snapshot"):
        read_json(path, kind="snapshot")
    assert path.read_bytes() == content


@pytest.mark.parametrize("number", [None, 0, 2, "1"])
def test_another_format_number_is_refused(tmp_path, number):
    path = tmp_path / "a.json"
    write_json(path, {"format": number})
    with pytest.raises(FormatVersionError, match="this version reads"):
        read_json(path, kind="snapshot", formats=(1,))
    assert read_json(path, kind="snapshot") == {"format": number}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.text(st.characters(blacklist_categories=["Cs"])))
def test_hashes_are_of_the_bytes(tmp_path, text):
    (tmp_path / "a").write_bytes(text.encode())
    expected = hashlib.sha256(text.encode()).hexdigest()
    assert sha256_of_file(tmp_path / "a") == sha256_of_text(text) == expected


def test_a_device_a_pipe_or_a_link_to_an_open_file_is_never_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to("/dev/null")
    for path in (pipe, link):
        with pytest.raises(ForeignFileError, match=path.name), atomic_write(path):
            pytest.fail("it was opened")
        assert not path.is_file()
    for name in ("/dev/null", "/dev/stdout", "/proc/self/fd/1"):  # only looked at
        with pytest.raises(ForeignFileError, match="only a file is replaced"):
            refuse_special(Path(name))
    (tmp_path / "to-a-file").symlink_to("a-file")
    for path in (tmp_path / "new", tmp_path / "to-a-file"):
        refuse_special(path)


def test_a_full_disk_names_the_file_and_keeps_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))
    try:
        with pytest.raises(OSError, match="large") as refusal, atomic_write(path) as file:
            file.write(bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert refusal.value.filename == str(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
