"""Settings: the environment wins over the file, the file over the defaults; faults are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.opened_store import launcher_of
from api.settings import load_settings
from kg.engine_command import java_command
from kg.errors import SettingError


def test_file_then_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "umbra.toml"
    file.write_text("timeout_s = 7.0\nmax_rows = 5\n")
    assert load_settings(file).timeout_s == 7.0
    monkeypatch.setenv("UMBRA_TIMEOUT_S", "9")
    settings = load_settings(file)
    assert (settings.timeout_s, settings.max_rows) == (9.0, 5)
    assert load_settings(file, timeout_s=1.0).timeout_s == 1.0


def test_the_setting_decides_the_engines_compilers(tmp_path: Path) -> None:
    file = tmp_path / "umbra.toml"
    quick = java_command(launcher_of(load_settings(file)))
    file.write_text('engine_compilers = "full"\nidle_timeout_s = 9.0\n')
    full = launcher_of(load_settings(file))
    assert full.idle_timeout_s == 9.0
    assert [part for part in quick if part not in java_command(full)] == ["-XX:TieredStopAtLevel=1"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("timeout_s = -1\n", "timeout_s"),
        ("colour = 1\n", "colour"),
        ("port = 'x'\n", "port"),
        ("engine_compilers = 'none'\n", "engine_compilers"),
        ("text_languages = ['xx']\n", "text_languages"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, text: str, name: str) -> None:
    file = tmp_path / "umbra.toml"
    file.write_text(text)
    with pytest.raises(SettingError) as caught:
        load_settings(file)
    assert name in str(caught.value)
    assert str(file) in str(caught.value)


def test_broken_toml_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "umbra.toml"
    file.write_text("timeout_s = = 3")
    with pytest.raises(SettingError, match=r"umbra\.toml"):
        load_settings(file)


def test_a_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UMBRA_API_KEY", "open sesame")
    assert "sesame" not in repr(load_settings())
