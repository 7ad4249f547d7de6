"""`casemeshd gateway`: the emergency switch. It works on files alone, so that it works when nothing else does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Shut an agency out at the gateway, or let it in again.  网关应急开关。", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--dir", help="The PKI folder that the gateway watches.  证书目录。")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.  输出 JSON。")]


@app.command("shut-out", epilog="Example: casemeshd gateway shut-out beihu-police --dir data/pki")
def shut_out(
    agency: Annotated[str, typer.Argument(help="The agency's code.  单位代码。")],
    directory: Folder,
    lift: Annotated[bool, typer.Option("--lift", help="Let it in again.  解除。")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Refuse an agency's connections and end those it has, within seconds, without a restart.  切断一个单位的接入。"""
    from casemesh.core.clock import SystemClock
    from casemesh.pki import shutting_out
    from casemesh.pki.errors import PkiError
    from casemesh.pki.layout import PkiLayout

    layout = PkiLayout(directory)
    shown: dict[str, object]
    try:
        if lift:
            shown = {"agency": agency, "shut_out": False, "changed": shutting_out.lift(layout, agency)}
        else:
            was = {entry.agency for entry in shutting_out.shut_out_agencies(layout)}
            entry = shutting_out.shut_out(layout, agency, now=SystemClock().now())
            shown = {
                "agency": agency,
                "shut_out": True,
                "changed": agency not in was,
                "since": entry.since.isoformat(),
            }
    except PkiError as error:
        typer.echo(f"casemeshd: {error}", err=True)
        raise typer.Exit(4) from error
    text = f"{agency}: {'let in' if lift else 'shut out'}  {'已解除' if lift else '已切断'}"
    typer.echo(json.dumps(shown) if as_json else text)


@app.command(epilog="Example: casemeshd gateway status --dir data/pki --json")
def status(directory: Folder, as_json: JsonFlag = False) -> None:
    """Show which agencies are shut out, and since when.  查看被切断的单位。"""
    from casemesh.pki.layout import PkiLayout
    from casemesh.pki.shutting_out import shut_out_agencies

    rows = [
        {"agency": entry.agency, "since": entry.since.isoformat()} for entry in shut_out_agencies(PkiLayout(directory))
    ]
    if as_json:
        typer.echo(json.dumps(rows))
    else:
        typer.echo("\n".join(f"{row['agency']:<40}  {row['since']}" for row in rows) or "nobody is shut out  无")


@app.command(epilog="Example: casemeshd gateway render --config gateway.toml --out /run/gateway")
def render(
    config: Annotated[Path, typer.Option("--config", help="The gateway's TOML file.  网关配置文件。")],
    out: Annotated[Path, typer.Option("--out", help="Where Envoy's files go; Envoy must see them there.  输出目录。")],
    as_json: JsonFlag = False,
) -> None:
    """Write Envoy's configuration for a cluster, from the same source as on one machine.  生成网关配置。"""
    from casemesh.local.envoy import render as render_files
    from casemesh.local.gateway_config import GatewayConfig
    from casemesh.runtime.config import ConfigError, load

    try:
        files = render_files(load(config, GatewayConfig).settings(out))
        out.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8")
    except (ConfigError, OSError) as error:
        typer.echo(f"casemeshd: {error}", err=True)
        raise typer.Exit(4) from error
    except KeyError as error:
        typer.echo(f"casemeshd: {config}: services.{error.args[0]} is missing", err=True)
        raise typer.Exit(4) from error
    written = [str(out / name) for name in files]
    typer.echo(json.dumps({"files": written}) if as_json else "\n".join(written))
