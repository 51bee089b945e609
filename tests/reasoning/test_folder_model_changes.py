"""Wrong settings of a graph folder's model are named, with the part, the key and what is near."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from kg.errors import SettingError
from reasoning.folder_model_config import FolderModelConfig

CONFIG = FolderModelConfig.for_graph(60, 200)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"embeding": {"rank": 3}}, "no part 'embeding' of the settings, .* mean embedding?"),
        ({"x": {}}, "no part 'x' .* take one of embedding, rules, ensemble, answering, answer_q"),
        ({"embedding": {"rnak": 3}}, "embedding has no setting 'rnak', .* mean rank"),
        ({"rules": {"longest": 2}}, "rules has no setting 'longest', .* mean longest_body"),
        ({"rules": {"model": "x"}}, "rules has no setting 'model'"),
        ({"ensemble": {"zzz": 2}}, "ensemble has no setting 'zzz', .* take one of rows, cand"),
        ({"embedding": {"model": "tuker"}}, "embedding.model: there is no 'tuker', .* mean tucker"),
        ({"embedding": {"model": "tucker", "rank": 2}}, "embedding has no setting 'rank'"),
        ({"embedding": {"rank": "3"}}, "embedding.rank is '3', not a whole number"),
        ({"embedding": {"rank": True}}, "embedding.rank is True, not a whole number"),
        ({"answering": {"noisy_or": 1}}, "answering.noisy_or is 1, not true or false"),
        ({"answering": {"delta": None}}, "answering.delta is None, not a number"),
        ({"embedding": 5}, 'embedding is 5, no object, .*{"epochs": 60}'),
        ({"embedding": {"beside": 3}}, "embedding.beside is 3, not an object or null"),
        ({"embedding": {"beside": {"rnak": 3}}}, "embedding.beside has no setting 'rnak', .* rank"),
        ({"embedding": {"beside": {"beside": {}}}}, "embedding.beside has no setting 'beside'"),
        ({"answer_queries": "many"}, "answer_queries is 'many', not a whole number"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError) as raised:
        CONFIG.changed(changes, where="settings.json")
    message = str(raised.value)
    assert "settings.json" in message
    assert re.search(said, message), message


def test_right_settings_are_taken() -> None:
    found = CONFIG.changed(
        {"embedding": {"candidates": None, "scale": 1}, "rules": {"longest_body": 2}}
    )
    assert (found.embedding.candidates, found.embedding.scale) == (None, 1)
    assert found.rules.longest_body == 2
    assert found.ensemble == CONFIG.ensemble
    tucker = CONFIG.changed({"embedding": {"model": "tucker", "dimension": 8}})
    assert (tucker.embedding.model, tucker.embedding.epochs) == ("tucker", 40)
    wide = CONFIG.changed({"embedding": {"rank": 100, "beside": {"members": 2}}})
    usual = replace(CONFIG.embedding, members=2)
    assert wide.embedding == replace(CONFIG.embedding, rank=100, beside=usual)
    for config in (found, tucker, wide):
        assert config.changed(config.to_json()) == config
