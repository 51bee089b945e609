"""Models that write queries: an OpenAI-compatible endpoint, or a `transformers` directory.

Only what the operator's settings name is used: one address, no redirect, bounded time and size.
What a model writes is data: it is read as the Cypher fragment, which cannot write, and shown before
it is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from api.http_library import http_library
from kg.errors import InputError, MissingPartError, SettingError

if TYPE_CHECKING:
    from pathlib import Path

    from api.settings import Settings
    from reasoning.plain import Lexicon

__all__ = ["DirectoryModel", "EndpointModel", "prompt_of"]

MAX_REPLY = 100_000
"""Bytes of a reply that are read."""
MAX_TOKENS = 300
"""Tokens that a model may write."""
_FENCED = re.compile(r"```(?:cypher)?\s*\n?(.*?)```", re.DOTALL | re.IGNORECASE)

_TASK = """You turn a question into one Cypher query over this graph. Use only these labels,
relations and attributes. Write the query alone: MATCH paths, optional WHERE (NOT patterns,
comparisons), RETURN one variable; UNION for "or".

Relations:
{relations}
Attributes: {attributes}

Question: Which countries border France but do not speak French?
MATCH (c:Country)-[:borders]->(:Country {{name: 'France'}})
WHERE NOT (c)-[:speaks]->(:Language {{name: 'French'}})
RETURN c

Question: {question}
"""


def prompt_of(lexicon: Lexicon, question: str) -> str:
    """Return what a model is told: the graph's vocabulary, an example, and the question."""
    relations = [
        f"(:{head})-[:{relation}]->(:{tail})"
        for relation, pairs in lexicon.signatures.items()
        for (head, tail), _ in pairs.most_common(3)
    ]
    attributes = ", ".join(sorted(lexicon.snapshot.attributes)) or "none"
    return _TASK.format(
        relations="\n".join(relations[:200]), attributes=attributes, question=question
    )


@dataclass(frozen=True, slots=True)
class EndpointModel:
    """A model behind ``POST {url}/chat/completions``.

    Attributes:
        url: Address up to the version, such as ``http://127.0.0.1:8000/v1``.
        model: Name that the endpoint knows it by.
        key: Sent as bearer token if not empty.
        timeout_s: Most seconds for a reply.
    """

    url: str
    model: str
    key: str = ""
    timeout_s: float = 30.0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the one that the settings name.

        Raises:
            InputError: They name none.
            SettingError: Its address is none of HTTP.
        """
        if not settings.plain_endpoint:
            raise InputError(
                "no endpoint is set", hint="set plain_endpoint and plain_model in umbra.toml"
            )
        parts = urlsplit(settings.plain_endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise SettingError("plain_endpoint is no address of HTTP", where="the settings")
        key = settings.plain_key.get_secret_value()
        url = settings.plain_endpoint.rstrip("/")
        return cls(url, settings.plain_model, key, settings.timeout_s)

    def written(self, prompt: str) -> str:
        """Return the query that the model writes.

        Raises:
            MissingPartError: It cannot be reached, refuses, or replies something else.
        """
        httpx = http_library()
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": prompt}],
            "temperature": 0,
            "max_tokens": MAX_TOKENS,
        }
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        place = f"{self.url}/chat/completions"
        try:
            with (
                httpx.Client(timeout=self.timeout_s, follow_redirects=False) as client,
                client.stream("POST", place, json=body, headers=headers) as reply,
            ):
                if reply.status_code != 200:
                    raise MissingPartError(
                        f"the endpoint answered {reply.status_code}", where=self.url
                    )
                content = _few(reply.iter_bytes())
        except httpx.HTTPError as error:
            raise MissingPartError(
                f"the endpoint does not answer: {type(error).__name__}", where=self.url
            ) from error
        return _query_in(_content(content, self.url))


def _few(chunks: Any) -> bytes:
    read = b""
    for chunk in chunks:
        read += chunk
        if len(read) > MAX_REPLY:
            raise MissingPartError(f"the endpoint's reply is longer than {MAX_REPLY} bytes")
    return read


def _content(reply: bytes, where: str) -> str:
    import json

    try:
        content = json.loads(reply)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise MissingPartError("the endpoint's reply is no chat completion", where=where) from error
    return str(content)


def _query_in(text: str) -> str:
    """Return the query in a reply: what is fenced, or all of it."""
    fenced = _FENCED.search(text)
    return (fenced[1] if fenced else text).strip()[:10_000]


class DirectoryModel:
    """A causal language model in a `transformers` directory, run here; nothing is downloaded.

    Args:
        folder: Configuration, safetensors and tokenizer.

    Raises:
        MissingPartError: The folder holds no such model.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        only = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(str(folder), **only)
            model = AutoModelForCausalLM.from_pretrained(str(folder), use_safetensors=True, **only)
        except (OSError, ValueError) as error:
            raise MissingPartError("no language model", where=str(folder)) from error
        self._model = model.eval()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the one that the settings name.

        Raises:
            InputError: They name none.
            MissingPartError: The folder holds none.
        """
        if settings.plain_directory is None:
            raise InputError("no directory is set", hint="set plain_directory in umbra.toml")
        return cls(settings.plain_directory)

    def written(self, prompt: str) -> str:
        """Return the query that the model writes, without drawing at random."""
        import torch

        told = self._tokenizer(prompt, return_tensors="pt")
        with torch.inference_mode():
            found = self._model.generate(
                told["input_ids"],
                attention_mask=told["attention_mask"],
                max_new_tokens=MAX_TOKENS,
                do_sample=False,
                pad_token_id=self._tokenizer.eos_token_id,
            )
        new = found[0, told["input_ids"].shape[1] :]
        return _query_in(self._tokenizer.decode(new, skip_special_tokens=True))
