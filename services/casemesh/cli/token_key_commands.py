"""`casemeshd token-keys`: the keys with which identity signs tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Rotate the keys that sign tokens.  令牌密钥轮换。", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--dir", help="The folder of token keys.  令牌密钥目录。")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.  输出 JSON。")]


@app.command(epilog="Example: casemeshd token-keys rotate --dir data/keys/tokens")
def rotate(directory: Folder, as_json: JsonFlag = False) -> None:
    """Make the next key; it signs as soon as every service knows it, and nothing is restarted.  生成下一个密钥。"""
    from casemesh.core.clock import SystemClock
    from casemesh.identity.token_keyring import rotate as make_next
    from casemesh.pki.errors import PkiError
    from casemesh.runtime.config import ConfigError

    try:
        made = make_next(directory, SystemClock().now())
    except (ConfigError, PkiError) as error:
        typer.echo(f"casemeshd: {error}", err=True)
        raise typer.Exit(4) from error
    shown = {"kid": made.key.kid, "signs_from": made.starts_at.isoformat(), "file": str(made.path)}
    typer.echo(json.dumps(shown) if as_json else "\n".join(f"{key:<12}{value}" for key, value in shown.items()))


@app.command(epilog="Example: casemeshd token-keys status --dir data/keys/tokens")
def status(directory: Folder, as_json: JsonFlag = False) -> None:
    """Show the keys: which signs, which waits for its turn, which only verifies.  查看密钥状态。"""
    from casemesh.core.clock import SystemClock
    from casemesh.identity.token_keyring import read_keys, signing
    from casemesh.runtime.config import ConfigError

    now = SystemClock().now()
    try:
        keys = read_keys(directory)
    except ConfigError as error:
        typer.echo(f"casemeshd: {error}", err=True)
        raise typer.Exit(4) from error
    signer = signing(keys, now)
    rows = []
    for key in keys:
        use = "signs" if key is signer else "next" if key.starts_at > now else "verifies"
        rows.append({"kid": key.key.kid, "signs_from": key.starts_at.isoformat(), "use": use})
    typer.echo(json.dumps(rows) if as_json else "\n".join("  ".join(row.values()) for row in rows))
