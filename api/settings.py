"""Settings of a deployment: defaults, then `umbra.toml` of the working folder, then `UMBRA_…`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from kg.errors import SettingError
from kg.stemming import Language

__all__ = ["Settings", "load_settings"]


class Settings(BaseSettings):
    """All that an operator sets.

    Attributes:
        store: `embedded` (a child process kept in the working folder), or a ``bolt://`` address.
        store_user: User of a remote store.
        store_password: Its password.
        text_encoder: `packaged`, `tiny` (for tests), or a `transformers` directory or hub id.
        image_encoder: The same for images.
        part_vectors: Whether `umbra train` gives cones what the image encoder sees of each part of
            a picture, beside its place and label.
        text_languages: Languages of the graph's texts, such as ``["de", "en"]``: search then also
            finds inflections of words. None finds words as they are written.
        idle_timeout_s: Seconds without a client after which the embedded store ends itself.
        data: Folder of data sets by name (NELL995, FB15k-237 …); see `umbra evaluate --help`.
        java: Another Java for the embedded store than the one that comes with it.
        engine_compilers: Java's compilers in the store: `quick`, or `full` for millions of edges.
        known_probability: From which probability a linked or generated edge counts as known.
        timeout_s: Most seconds a query may take.
        max_rows: Most rows of a Cypher query that is answered in one piece.
        max_streamed_rows: Most rows of a Cypher query that is answered as lines or as Arrow.
        max_spooled_bytes: Largest temporary file of such an Arrow answer, whose rows wait there
            until all types are known.
        max_answers: Most answers a question returns.
        max_body_bytes: Largest request body.
        host: Address that `umbra serve` listens on.
        port: Its port.
        reconcile_origins: Addresses whose pages may read the reconciliation service, such as
            ``["http://127.0.0.1:3333"]`` for OpenRefine.
        plain_endpoint: OpenAI-compatible address that may read questions in plain language, such as
            ``http://127.0.0.1:8000/v1``; the only one that is ever asked, and only if a caller says
            so.
        plain_model: Name of its model.
        plain_key: Its key.
        plain_directory: Folder of a `transformers` language model that does the same here.
        workers: Processes that `umbra serve` answers with.
        drain_s: Seconds that requests under way have to end in when the server ends.
        fresh_s: Seconds for which a kept answer is given without asking the store whether it has
            changed; what this process writes is seen at once. 0 asks every time.
        key_rate: Requests a second of a key that has no limit of its own; 0 for any number.
        key_parallel: Requests under way at a time of such a key; 0 for any number.
        traces: Send traces by OpenTelemetry (extra `otel`) to where its own variables say.
        log_format: `text`, or `json` for one object a line.
        api_key: Key that every request must carry; needed for any address but loopback.
    """

    model_config = SettingsConfigDict(env_prefix="UMBRA_", extra="forbid", frozen=True)

    store: str = "embedded"
    store_user: str = "neo4j"
    store_password: SecretStr = SecretStr("")
    text_encoder: str = "packaged"
    image_encoder: str = "packaged"
    part_vectors: bool = False
    text_languages: tuple[Language, ...] = ()
    idle_timeout_s: float = Field(default=300.0, gt=0)
    data: Path | None = None
    java: Path | None = None
    engine_compilers: Literal["quick", "full"] = "quick"
    known_probability: float = Field(default=0.9, gt=0, le=1)
    timeout_s: float = Field(default=20.0, gt=0, le=3600)
    max_rows: int = Field(default=10_000, ge=1)
    max_streamed_rows: int = Field(default=1_000_000, ge=1)
    max_spooled_bytes: int = Field(default=2**30, ge=1024)
    max_answers: int = Field(default=1000, ge=1)
    max_body_bytes: int = Field(default=8 * 2**20, ge=1024)
    host: str = "127.0.0.1"
    port: int = Field(default=8321, ge=0, le=65535)
    reconcile_origins: tuple[str, ...] = ()
    plain_endpoint: str = ""
    plain_model: str = "default"
    plain_key: SecretStr = SecretStr("")
    plain_directory: Path | None = None
    workers: int = Field(default=1, ge=1, le=64)
    drain_s: float = Field(default=5.0, ge=0, le=3600)
    fresh_s: float = Field(default=0.2, ge=0, le=60)
    key_rate: float = Field(default=200.0, ge=0)
    key_parallel: int = Field(default=50, ge=0)
    traces: bool = False
    log_format: Literal["text", "json"] = "text"
    api_key: SecretStr = SecretStr("")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment over the file over the defaults."""
        del dotenv_settings, file_secret_settings
        path = init_settings.init_kwargs.pop("toml_file", None)  # type: ignore[attr-defined]
        sources: tuple[PydanticBaseSettingsSource, ...] = (init_settings, env_settings)
        if path is not None:
            sources = (*sources, TomlConfigSettingsSource(settings_cls, path))
        return sources


def load_settings(file: Path | None = None, **overrides: Any) -> Settings:
    """Read the settings.

    Args:
        file: `umbra.toml`, if there is one.
        **overrides: Values that win over file and environment.

    Raises:
        SettingError: A value is out of range or a name is unknown; it is named.

    Example:
        >>> load_settings(timeout_s=5.0).timeout_s
        5.0
    """
    given: dict[str, Any] = dict(overrides)
    if file is not None and file.exists():
        given["toml_file"] = file
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingError(
            f"setting {name!r}: {first['msg']}",
            where=str(file) if file else "the environment",
            hint=f"correct {name} in umbra.toml or UMBRA_{name.upper()}",
        ) from error
    except ValueError as error:  # tomllib's own
        raise SettingError(f"not valid TOML: {error}", where=str(file)) from error
