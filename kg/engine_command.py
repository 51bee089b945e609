"""How the embedded engine is run: its settings and its command line.

The engine is an ArcadeDB server, and everything it needs (Java too) comes with one package.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from kg.errors import MissingPartError, SettingError

__all__ = ["LauncherConfig", "archive_path", "engine_command", "java_command"]

# Jars that Umbra does not use; each is a door less.
LEFT_OUT = ("-studio-", "-mcp-", "-postgresw-", "-redisw-", "-console-", "-graphql-")


@dataclass(frozen=True, slots=True, kw_only=True)
class LauncherConfig:
    """How the embedded engine is run.

    Attributes:
        idle_timeout_s: Seconds without a client after which it ends; > 0.
        start_timeout_s: Seconds that a start may take; > 0.
        heap: Java's largest heap, as in ``-Xmx``.
        command_timeout_s: No command runs longer, whatever its caller asks for; > 0.
        java: Another Java to run, or None for the one that comes with the engine.
        java_options: Further options of Java. By default only its quick compiler: over a start,
            a load of 14,000 rows and some hundred queries it took 6 s of processor time, both
            compilers 12 s. For hours of heavy queries pass ``()``.

    Raises:
        SettingError: A value lies outside its range.
    """

    idle_timeout_s: float = 300.0
    start_timeout_s: float = 60.0
    heap: str = "768m"
    command_timeout_s: float = 600.0
    java: Path | None = None
    java_options: tuple[str, ...] = ("-XX:TieredStopAtLevel=1",)

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("idle_timeout_s", "start_timeout_s", "command_timeout_s"):
            if not getattr(self, name) > 0:
                raise SettingError(f"{name} must be above 0, got {getattr(self, name)!r}")
        if not (self.heap[:-1].isdigit() and self.heap[-1:] in ("m", "g")):
            raise SettingError(f"heap must look like 768m or 2g, got {self.heap!r}")

    @property
    def heap_bytes(self) -> int:
        """Bytes of the largest heap.

        Example:
            >>> LauncherConfig(heap="2m").heap_bytes
            2097152
        """
        return int(self.heap[:-1]) << {"m": 20, "g": 30}[self.heap[-1]]


def archive_path() -> Path:
    """Return where this installation's archive of the engine's classes lies (`kg.engine_archive`).

    Beside the installed programs and not among the user's files: it is run as they are.
    """
    return Path(sys.prefix) / "share" / "umbra" / "engine.jsa"


def java_command(config: LauncherConfig, *, archive: Path | None = None) -> list[str]:
    """Return how Java is run with the engine's jars, without what it is to run.

    It has no module beyond its own (``jdk.incubator.vector`` would hasten the engine's index of
    vectors, which Umbra does not use): only so may an archive hold classes that are linked already.

    Args:
        config: Its heap, options, and perhaps another Java.
        archive: An archive of classes to use or to make.

    Raises:
        MissingPartError: The engine's package is not installed.
    """
    found = importlib.util.find_spec("arcadedb_embedded")
    if found is None or not found.submodule_search_locations:
        raise MissingPartError(
            "the embedded graph engine is not installed",
            hint="pip install arcadedb-embedded, or give a bolt:// address",
        )
    package = Path(next(iter(found.submodule_search_locations)))
    jars = sorted(
        str(jar)
        for jar in (package / "jars").glob("*.jar")
        if not any(name in jar.name for name in LEFT_OUT)
    )
    return [
        str(config.java or package / "jre" / "bin" / "java"),
        f"-Xmx{config.heap}",
        "-XX:+UseSerialGC",
        "-Djava.awt.headless=true",
        "--enable-native-access=ALL-UNNAMED",
        *([] if archive is None else [f"-XX:SharedArchiveFile={archive}"]),
        *config.java_options,
        *("-cp", ":".join(jars)),
    ]


def engine_command(folder: Path, config: LauncherConfig) -> list[str]:
    """Return the engine's command line; its passwords stand in a file of its own, not here."""
    archive = archive_path()
    java = java_command(
        config, archive=archive if config.java is None and archive.is_file() else None
    )
    root = folder / "engine"
    root.mkdir(exist_ok=True)
    settings = {
        "server.rootPath": root,
        "server.databaseDirectory": root / "databases",
        "server.logsDirectory": root / "log",
        "server.plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
        "server.mode": "development",  # any other mode hides the texts of query errors
        "server.httpIncomingHost": "127.0.0.1",
        "server.httpIncomingPort": "{http}",
        "bolt.host": "127.0.0.1",
        "bolt.port": "{bolt}",
        "txWalFlush": "2",  # sync each commit: without it a power cut loses acknowledged writes
        "command.timeout": round(config.command_timeout_s * 1000),
        "opencypher.loadCsv.allowFileUrls": "false",
        "opencypher.loadCsv.allowRemoteUrls": "false",
        "studio.enabled": "false",
    }
    return [
        *java,
        *(f"-Darcadedb.{name}={value}" for name, value in settings.items()),
        "com.arcadedb.server.ArcadeDBServer",
    ]
