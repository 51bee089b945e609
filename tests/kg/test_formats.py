"""Readers of JSON Lines and CSV: what they yield, what they reject, what they refuse."""

import csv
import gzip
import io
import json
import tracemalloc

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kg.errors import RecordError
from kg.formats.csv import read_csv
from kg.formats.jsonl import read_jsonl
from kg.formats.records import Record, Reject, count_lines

any_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(tmp_path, content: bytes, name: str = "data.jsonl"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def fields(items) -> list[object]:
    return [dict(item.fields) if isinstance(item, Record) else item.reason for item in items]


plain = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3),
    max_leaves=8,
)


@any_folder
@given(st.lists(st.dictionaries(plain, values, max_size=4), max_size=6), st.booleans())
def test_jsonl_reads_back_what_json_wrote(tmp_path, rows, packed):
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path = written(tmp_path, content, "rows.jsonl.gz" if packed else "rows.jsonl")
    found = list(read_jsonl(path))
    assert [dict(item.fields) for item in found] == rows
    assert [item.line for item in found] == list(range(1, len(rows) + 1))
    assert count_lines(path) == len(rows)


def test_jsonl_a_bad_line_is_a_reject_and_reading_goes_on(tmp_path):
    lines = [
        b'\xef\xbb\xbf{"a": 1}',
        b"",
        b'{"a": ',
        b"[1, 2]",
        b'{"a": NaN}',
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
        b'{"a": 2}',
    ]
    found = list(read_jsonl(written(tmp_path, b"\r\n".join(lines))))
    assert [item.line for item in found] == [1, 3, 4, 5, 6, 7, 8, 9]
    assert dict(found[0].fields) == {"a": 1}
    assert dict(found[-1].fields) == {"a": 2}
    reasons = [item.reason for item in found[1:-1]]
    assert reasons[0] == "not JSON: Expecting value at character 5"
    assert reasons[1] == "not an object but list"
    assert reasons[2] == "not JSON: NaN is no number"
    assert reasons[3] == "not UTF-8 at byte 7"
    assert reasons[4].startswith("not JSON: ")
    assert reasons[5].startswith("not JSON: ")
    assert found[1].text == '{"a":'
    assert len(found[5].text) == 2_000


def test_jsonl_a_line_that_is_too_long_is_rejected_in_bounded_memory(tmp_path):
    path = written(tmp_path, b'{"a": "' + b"x" * 20_000_000 + b'"}\n{"a": 1}\n', "big.jsonl.gz")
    tracemalloc.start()
    found = list(read_jsonl(path, max_line_bytes=1_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert fields(found) == ["longer than 1,000 bytes", {"a": 1}]
    assert peak < 2_000_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"[{}, {}]", "a JSON array"), (b"PK\x03\x04\x00\x00", "not a text file")],
)
def test_jsonl_another_format_is_refused_at_once(tmp_path, content, reason):
    with pytest.raises(RecordError, match=reason) as caught:
        list(read_jsonl(written(tmp_path, content)))
    assert caught.value.line == 1


@pytest.mark.parametrize("read", [read_jsonl, read_csv])
def test_missing_and_damaged_files_are_refused(tmp_path, read):
    with pytest.raises(RecordError, match="no such file"):
        list(read(tmp_path / "nowhere.jsonl"))
    with pytest.raises(RecordError, match="not readable"):
        list(read(tmp_path))
    whole = gzip.compress(b'{"a": 1}\n' * 10_000)
    for name, content in {
        "cut": whole[: len(whole) // 2],
        "text": b"hello",
        "bits": _flipped(whole),
    }.items():
        path = tmp_path / f"{name}.jsonl.gz"
        path.write_bytes(content)
        with pytest.raises(RecordError, match="damaged"):
            list(read(path))
        with pytest.raises(RecordError, match="damaged"):
            count_lines(path)


def _flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(255 - byte for byte in content[middle:])


cells = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="\r\x00"), max_size=12
)


@any_folder
@given(st.lists(st.tuples(cells, cells, cells), max_size=6), st.sampled_from([",", ";", "\t"]))
@example([("a,b", 'say "so"', "two\nlines")], ",")
@example([("\ufeff", "", "")], ",")
def test_csv_reads_back_what_the_csv_module_wrote(tmp_path, rows, delimiter):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerows([("x", "y", "z"), *rows])
    path = written(tmp_path, file.getvalue().encode(), "rows.csv")
    found = list(read_csv(path, delimiter=delimiter))
    assert [tuple(item.fields.values()) for item in found] == rows


def test_csv_a_bad_row_is_a_reject_with_its_line_and_column(tmp_path):
    content = (
        b"\xef\xbb\xbfname,area\n"
        b"Chad,1\n"
        b"\n"
        b"Mali\n"
        b"Peru,1,2\n"
        b"Cuba,\xff\xfe\n"
        b'"two\nlines",3\n'
        b'"Oman"x,4\n'
        b"Togo,5\n"
    )
    found = list(read_csv(written(tmp_path, content, "a.csv")))
    assert [(item.line, getattr(item, "column", None)) for item in found] == [
        (2, None),
        (4, None),
        (5, None),
        (6, "area"),
        (7, None),
        (9, None),
        (10, None),
    ]
    assert fields(found) == [
        {"name": "Chad", "area": "1"},
        "1 fields, the header has 2",
        "3 fields, the header has 2",
        "not UTF-8",
        {"name": "two\nlines", "area": "3"},
        "not CSV: ',' expected after '\"'",
        {"name": "Togo", "area": "5"},
    ]
    assert found[1].text == "Mali"
    assert json.loads(found[3].to_json())["text"].startswith("Cuba,")


def test_csv_a_quote_that_is_never_closed_costs_a_bounded_part_of_the_file(tmp_path):
    content = b'a,b\n1,"open\n' + b"2,3\n" * 100
    found = list(read_csv(written(tmp_path, content, "a.csv"), max_row_bytes=80))
    assert isinstance(found[0], Reject)
    assert found[0].line == 2
    assert found[0].reason == "not CSV: longer than 80 bytes"
    assert len(found) > 75


def test_csv_without_a_usable_header_is_refused(tmp_path):
    for content, reason in {
        b"": "no header row",
        b"\n\n": "no header row",
        b"a,,b\n": "a column without a name",
        b"a,b,a\n": "two columns of one name",
        b'"a\n': "not CSV",
        b"PK\x03\x04\x00,b\n": "a column without a name",
        "a,b\n".encode("utf-16"): "UTF-16, not UTF-8",
        "\ufeffa\n".encode("utf-16-be"): "UTF-16, not UTF-8",
    }.items():
        with pytest.raises(RecordError, match=reason):
            list(read_csv(written(tmp_path, content, "a.csv")))


def test_csv_tabs_stand_between_the_fields_of_tsv(tmp_path):
    path = written(tmp_path, b"a\tb\n1,5\t2\n", "a.tsv.gz")
    assert fields(read_csv(path)) == [{"a": "1,5", "b": "2"}]


@pytest.mark.parametrize(("content", "count"), [(b"", 0), (b"a", 1), (b"a\n", 1), (b"a\n\nb", 3)])
def test_lines_are_counted(tmp_path, content, count):
    assert count_lines(written(tmp_path, content)) == count
