"""Keys: shown once, kept as digests, followed by a running server, and made on the command line."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.access.keys import FORMAT, SCOPES, KeyRing
from api.app import create_app
from api.cli.main import main
from api.cli.serve import check_address
from api.settings import Settings
from kg.errors import ConflictError, ForeignFileError, FormatVersionError, InputError
from tests.api.test_guard import problem
from tests.api.world import open_world

Shown = pytest.CaptureFixture[str]


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "access" / "keys.json")


def test_what_is_kept_opens_nothing(ring: KeyRing, tmp_path: Path) -> None:
    key, text = ring.create("ada", ["write", "read"])
    path = tmp_path / "access" / "keys.json"
    kept = path.read_text()
    assert text not in kept
    assert text.rpartition("_")[2] not in kept
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.scopes == ("read", "write")
    assert ring.find(text) == key
    assert ring.find(key.digest) is None
    assert ring.find("") is None


def test_keys_differ_and_a_wrong_one_is_none(ring: KeyRing) -> None:
    made = [ring.create("same name", ["read"])[1] for _ in range(3)]
    assert len({ring.find(text).id for text in made}) == 3  # type: ignore[union-attr]
    swapped = made[0][:15] + made[1][15:]  # the id of one key, the secret of another
    assert ring.find(swapped) is None
    assert ring.find(made[0] + "\n") is None


def test_another_process_is_followed(ring: KeyRing, tmp_path: Path) -> None:
    other = KeyRing(tmp_path / "access" / "keys.json")
    key, text = other.create("ada", ["read"])
    assert ring.find(text) == key
    other.revoke(key.id)
    assert ring.find(text) is None
    with pytest.raises(ConflictError):
        ring.revoke(key.id)


@pytest.mark.parametrize(
    ("name", "scopes"),
    [("", ["read"]), (" ", ["read"]), ("a\nb", ["read"]), ("x" * 201, ["read"]), ("ada", []),
     ("ada", ["read", "root"])],
)  # fmt: skip
def test_a_key_that_means_nothing_is_not_made(ring: KeyRing, name: str, scopes: list[str]) -> None:
    with pytest.raises(InputError):
        ring.create(name, scopes)
    assert ring.keys == ()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("[]", ForeignFileError),
        ("{", ForeignFileError),
        (f'{{"format": {FORMAT}, "keys": [3]}}', ForeignFileError),
        (f'{{"format": {FORMAT}, "keys": [{{"id": "x"}}]}}', ForeignFileError),
        (f'{{"format": {FORMAT + 1}, "keys": []}}', FormatVersionError),
    ],
)
def test_a_damaged_file_opens_no_door(
    ring: KeyRing, tmp_path: Path, content: str, kind: type[Exception]
) -> None:
    path = tmp_path / "access" / "keys.json"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(kind):
        _ = ring.keys


def umbra(shown: Shown, folder: Path, *arguments: str) -> tuple[int, Any, str]:
    shown.readouterr()
    code = main(["keys", *arguments, "--folder", str(folder), "--json"])
    printed = shown.readouterr()
    return code, json.loads(printed.out) if printed.out else None, printed.err


def test_the_command_makes_lists_and_revokes(tmp_path: Path, capsys: Shown) -> None:
    code, made, _ = umbra(capsys, tmp_path, "create", "ada", "--scope", "jobs", "--scope", "read")
    assert code == 0
    assert made["scopes"] == ["read", "jobs"]
    code, listed, _ = umbra(capsys, tmp_path, "list")
    assert listed == [{name: value for name, value in made.items() if name != "key"}]
    assert main(["keys", "list", "--folder", str(tmp_path)]) == 0
    assert "read jobs" in capsys.readouterr().out
    assert umbra(capsys, tmp_path, "revoke", made["id"])[0] == 0
    assert umbra(capsys, tmp_path, "list")[1] == []


def test_the_command_says_what_is_wrong_in_one_line(tmp_path: Path, capsys: Shown) -> None:
    for arguments, said, expected in (
        (("create", "ada"), "without a scope", 2),
        (("create", "ada", "--scope", "root"), "'root'", 2),
        (("revoke", "nobody"), "umbra keys list", 3),
    ):
        code, out, line = umbra(capsys, tmp_path, *arguments)
        assert (code, out, line.count("\n")) == (expected, None, 1)
        assert said in line
    nowhere = tmp_path / "nowhere"
    assert umbra(capsys, nowhere, "create", "ada", "--scope", "read")[0] == 3
    assert not nowhere.exists()


def test_a_key_is_enough_for_an_address_that_others_reach(ring: KeyRing) -> None:
    ring.create("ada", ["read"])
    check_address(Settings(host="10.0.0.1"), ring.keys)


def test_the_last_key_revoked_opens_no_server(tmp_path: Path) -> None:
    with open_world(tmp_path / ".umbra") as engine:
        ring = KeyRing(engine.workspace.keys)
        key, text = ring.create("ada", SCOPES)
        with TestClient(create_app(engine), base_url="http://127.0.0.1") as client:
            headers = {"Authorization": f"Bearer {text}"}
            assert client.get("/v1/info", headers=headers).status_code == 200
            ring.revoke(key.id)
            problem(client.get("/v1/info", headers=headers), "unauthorized", 401)
            problem(client.get("/v1/info"), "unauthorized", 401)
