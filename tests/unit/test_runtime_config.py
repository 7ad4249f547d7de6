"""Configuration is decoded strictly, and every refusal names file and key."""

from pathlib import Path

import pytest

from casemesh.runtime.config import ConfigError, load
from casemesh.runtime.host import HostConfig

GOOD = """
[server]
listen = "127.0.0.1:0"
max_message = "2MiB"
drain = "3s"
[tls]
directory = "tls"
[database]
dsn_file = "dsn"
[peers]
identity = "127.0.0.1:1"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "service.toml"
    path.write_text(text)
    return path


def test_quantities_and_paths_are_read_relative_to_the_file(tmp_path: Path) -> None:
    config = load(write(tmp_path, GOOD), HostConfig)
    assert (config.server.max_message, config.server.drain) == (2 * 1024 * 1024, 3.0)
    assert tmp_path / "tls" == config.tls.directory
    assert config.peers == {"identity": "127.0.0.1:1"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (GOOD.replace("drain =", "drian ="), "server.drian"),
        (GOOD.replace('listen = "127.0.0.1:0"\n', ""), "server.listen is missing"),
        (GOOD.replace('"3s"', "3"), "server.drain must be a Duration"),
        (GOOD.replace('"3s"', '"3 fortnights"'), "server.drain"),
        (GOOD + "[surprise]\n", "unknown key surprise"),
        ("not toml", "service.toml"),
    ],
)
def test_a_wrong_file_is_refused_and_the_key_is_named(tmp_path: Path, change: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named) as error:
        load(write(tmp_path, change), HostConfig)
    assert "service.toml" in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load(tmp_path / "nowhere.toml", HostConfig)
