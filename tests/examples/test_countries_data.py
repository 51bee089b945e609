"""The demo's data: what the files hold, and that they are what `prepare.py` makes."""

import gzip
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from examples.countries.flags import WIDTH, encode, flatten, shrink
from examples.countries.lists import border_mentions, partner_mentions
from examples.countries.prepare import COPIED, country, list_mentions, read_rows, write_rows

FOLDER = Path(__file__).parents[2] / "examples" / "countries"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "countries"

needs_sources = pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared/data")


@pytest.fixture(scope="module")
def countries() -> dict[str, dict]:
    return {row["cca2"]: row for row in read_rows(FOLDER / "countries.jsonl.gz")}


@pytest.fixture(scope="module")
def lists() -> list[dict]:
    return list(read_rows(FOLDER / "list_mentions.jsonl.gz"))


@pytest.fixture(scope="module")
def mentions() -> list[dict]:
    return list(read_rows(FOLDER / "mentions.jsonl.gz"))


def test_everything_is_there_and_small():
    files = [
        path for path in FOLDER.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    assert sum(path.stat().st_size for path in files) < 6 * 2**20
    assert sum(path.stat().st_size for path in files if path.suffix == ".png") < 900_000
    readme = (FOLDER / "README.md").read_text()
    for path in files:
        name = "flags/XX.png" if path.suffix == ".png" else path.name
        known = name in readme or path.suffix == ".py" or name == "README.md"
        assert known, f"{name} is not in the README"


def test_every_country_has_a_flag_of_the_right_size(countries):
    flags = {path.stem: path for path in (FOLDER / "flags").iterdir()}
    assert set(flags) == set(countries)
    assert len(flags) == 250
    for path in flags.values():
        with Image.open(path) as image:
            assert image.width == WIDTH
            assert image.mode == "P"
            assert "transparency" not in image.info
    with Image.open(flags["NP"]) as nepal:
        assert nepal.height > nepal.width
        assert nepal.convert("RGB").getpixel((250, 5)) == (255, 255, 255)


def test_flags_that_are_drawn_alike_stay_alike():
    pixels: dict[bytes, set[str]] = {}
    for path in (FOLDER / "flags").iterdir():
        with Image.open(path) as image:
            pixels.setdefault(image.convert("RGB").tobytes(), set()).add(path.stem)
    alike = json.loads((FOLDER / "drawn_alike.json").read_text())["svg-country-flags"]
    assert sorted(sorted(group) for group in pixels.values() if len(group) > 1) == alike


def test_the_other_artists_flags_have_the_same_keys(countries):
    with np.load(FOLDER / "mention_flags.npz", allow_pickle=False) as flags:
        assert set(flags["keys"].tolist()) == set(countries)
        assert flags["images"].shape == (250, 192, 256, 3)


def test_every_list_is_taken_apart_whole(lists):
    assert Counter(row["relation"] for row in lists) == {
        "exports_to": 1160,
        "imports_from": 1153,
        "borders": 650,
    }
    assert len({row["id"] for row in lists}) == len(lists)
    for row in lists:
        assert row["context"][row["start"] : row["end"]] == row["mention"]
        assert row["mention"] == row["mention"].strip()
        assert not any(letter.isdecimal() for letter in row["mention"])
        assert ("km" in row) == (row["relation"] == "borders")
        if row["relation"] != "borders":
            assert row["percent"] is None or 0 <= row["percent"] <= 100
            assert 2017 <= row["year"] <= 2023
    sums = Counter()
    for row in lists:
        sums[row["source_entity"], row["field"]] += row.get("percent") or 0
    assert max(sums.values()) <= 100


def test_the_lists_agree_with_the_evaluation_set(lists, mentions):
    def place(row: dict) -> tuple:
        return (row["source_entity"], row["field"], row["context"], row["start"], row["end"])

    ours = {place(row): row for row in lists}
    theirs = [row for row in mentions if row["group"] == "lists"]
    assert len(theirs) > 2_000
    for row in theirs:
        found = ours[place(row)]
        for name in ("mention", "relation", "percent", "km"):
            assert found.get(name) == row.get(name)


def words(text: str, found) -> list[str]:
    return [text[each["start"] : each["end"]] for each in found]


@pytest.mark.parametrize(
    ("text", "names", "percents"),
    [
        ("Bahamas, The 13%, Iceland 10.5% (2023)", ["Bahamas, The", "Iceland"], [13.0, 10.5]),
        (
            "Israel 6%, Congo, Republic of the 5% (2023)",
            ["Israel", "Congo, Republic of the"],
            [6.0, 5.0],
        ),
        ("almost entirely United Kingdom (2022)", ["United Kingdom"], [None]),
        ("Italy, Spain\n(2021)", ["Italy", "Spain"], [None, None]),
        ("Antigua & Barbuda 7% (2019 est.)", ["Antigua & Barbuda"], [7.0]),
    ],
)
def test_partner_lists(text, names, percents):
    found = list(partner_mentions(text))
    assert words(text, found) == names
    assert [each["percent"] for each in found] == percents
    assert all(each["year"] >= 2019 for each in found)


@pytest.mark.parametrize(
    ("text", "names", "lengths"),
    [
        ("Greece 212 km; Kosovo 1,112 km", ["Greece", "Kosovo"], [212, 1112]),
        ("Algeria 41 km, Mauritania 1564 km", ["Algeria", "Mauritania"], [41, 1564]),
        (
            "Algeria 1 km; Spain (Ceuta) 8 km and Spain (Melilla) 10.5 km",
            ["Algeria", "Spain", "Spain"],
            [1, 8, 10.5],
        ),
        (
            "Canada 8,891 km (including 2,475 km with Alaska); Mexico 3 km",
            ["Canada", "Mexico"],
            [8891, 3],
        ),
        (
            "France 1 km; Holy See (Vatican City) 3.4 km",
            ["France", "Holy See (Vatican City)"],
            [1, 3.4],
        ),
        ("US Naval Base at Guantanamo Bay 28.5 km", ["US Naval Base at Guantanamo Bay"], [28.5]),
        ("", [], []),
    ],
)
def test_border_lists(text, names, lengths):
    found = list(border_mentions(text))
    assert words(text, found) == names
    assert [each["km"] for each in found] == lengths


@pytest.mark.parametrize(
    "text", ["note: see entry on Disputes", "Greece; Kosovo 2 km", "Greece 3 km Italy"]
)
def test_what_is_not_understood_is_not_dropped(text):
    with pytest.raises(ValueError, match="not understood"):
        list(border_mentions(text))


def test_no_alias_gives_an_answer_away(countries, mentions):
    for row in mentions:
        if row["group"] in ("foreign", "adjectives", "capitals") and row["entity_id"]:
            known = countries[row["entity_id"]]
            names = {name.lower() for name in (known["name"]["common"], *known["aliases"])}
            assert row["mention"].lower() not in names, row["id"]
    for code, row in countries.items():
        assert code not in row["aliases"]
        assert len(set(row["aliases"])) == len(row["aliases"])
        assert row["name"]["common"] not in row["aliases"]
        assert row.get("factbook_name") != "none"
    assert "Turkey" in countries["TR"]["aliases"]
    assert "Burma" in countries["MM"]["aliases"]
    assert "Island" not in countries["IS"]["aliases"]


def test_every_border_and_every_withheld_code_is_a_country(countries):
    for row in countries.values():
        assert set(row["borders"]) <= set(countries)
    withheld = (FOLDER / "withheld_entities.txt").read_text().split()
    assert len(withheld) == 25
    assert set(withheld) <= set(countries)


def test_no_text_of_the_factbook_stands_in_the_countries(countries):
    longest = max(len(value) for row in countries.values() for value in strings(row))
    assert longest < 90


def strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for inner in value.values() for text in strings(inner)]
    return [text for inner in value for text in strings(inner)] if isinstance(value, list) else []


def test_shrinking_mixes_no_colours_and_keeps_proportions():
    # A disc with smooth edges on a ground of another colour.
    large = Image.new("L", (1000, 500), 0)
    disc = Image.new("L", (400, 400), 0)
    y, x = np.mgrid[:400, :400]
    distance = np.hypot(x - 199.5, y - 199.5)
    disc = Image.fromarray(np.clip((190 - distance) * 255, 0, 255).astype(np.uint8))
    large.paste(disc, (300, 50))
    image = Image.composite(
        Image.new("RGB", large.size, (255, 0, 0)),
        Image.new("RGB", large.size, (255, 255, 0)),
        large,
    )
    small = shrink(image)
    assert small.size == (256, 128)
    colours, averaged = (
        Counter(map(tuple, np.asarray(picture).reshape(-1, 3).tolist()))
        for picture in (small, image.resize(small.size, Image.Resampling.BOX))
    )
    flat = ((255, 0, 0), (255, 255, 0))
    mixed, rim = (
        counts.total() - sum(counts[colour] for colour in flat) for counts in (colours, averaged)
    )
    assert mixed < rim / 3
    assert colours[255, 0, 0] / (256 * 128) == pytest.approx(np.pi * 190**2 / 500_000, rel=0.02)
    with Image.open(io.BytesIO(encode(small))) as again:
        assert again.convert("RGB").tobytes() == small.tobytes()


def test_a_half_covered_edge_is_cut_off(tmp_path):
    image = Image.new("RGBA", (10, 6), (0, 0, 255, 255))
    for x in range(10):
        image.putpixel((x, 5), (0, 0, 255, 100))
    image.save(tmp_path / "a.png")
    assert flatten(tmp_path / "a.png").size == (10, 5)
    assert flatten(tmp_path / "a.png").getcolors() == [(50, (0, 0, 255))]


@needs_sources
@pytest.mark.shared_data
def test_the_files_are_what_the_script_makes(tmp_path):
    rows = list(read_rows(SHARED / "countries.jsonl.gz"))
    pages = {page["entity_id"]: page for page in read_rows(SHARED / "factbook.jsonl.gz")}
    codes = {row["cca3"]: row["cca2"] for row in rows}
    made = (country(row, pages.get(row["cca2"]), codes) for row in rows)
    write_rows(tmp_path / "countries", sorted(made, key=lambda row: row["cca2"]))
    found = (record for key in sorted(pages) for record in list_mentions(pages[key]))
    write_rows(tmp_path / "lists", found)
    for name, ours in {
        "countries": "countries.jsonl.gz",
        "lists": "list_mentions.jsonl.gz",
    }.items():
        assert gzip.decompress((tmp_path / name).read_bytes()) == gzip.decompress(
            (FOLDER / ours).read_bytes()
        )
    for source, name in COPIED.items():
        assert (SHARED / source).read_bytes() == (FOLDER / name).read_bytes()
