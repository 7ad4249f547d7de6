"""`casemeshd doctor`: what is wrong with a deployment, and how to mend it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.  输出 JSON。")]
_MARKS = {"well": "ok   正常", "soon": "soon 将有问题", "wrong": "WRONG 异常"}


def doctor(
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder of a platform on this machine.  本机平台的数据目录。")
    ] = None,
    config_folder: Annotated[
        Path | None, typer.Option("--config-folder", help="Folder with the services' NAME.toml.  服务配置目录。")
    ] = None,
    gateway: Annotated[str, typer.Option("--gateway", help="The gateway, host:port.  网关地址。")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Also what is well.  同时列出正常项。")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Check a deployment from inside: configuration, certificates, databases, peers, clocks, disks, log.  检查部署。

    Exit codes: 0 all is well, or will be wrong soon; 1 something is wrong; 2 wrong use.
    """
    from casemesh.core.clock import SystemClock
    from casemesh.local.configuration import MachineLayout
    from casemesh.local.doctor.examination import examine
    from casemesh.local.doctor.findings import Finding, State
    from casemesh.local.platform import PlatformError, running_addresses

    if (data is None) == (config_folder is None):
        raise typer.BadParameter("give either --data or --config-folder")
    folder = config_folder
    if data is not None:
        folder = MachineLayout(data.resolve()).config
        try:
            gateway = gateway or running_addresses(data).gateway
        except PlatformError as error:
            typer.echo(f"casemeshd: {error}", err=True)
            raise typer.Exit(1) from error
    assert folder is not None
    where = folder

    async def run() -> list[Finding]:
        return [finding async for finding in examine(where, SystemClock(), gateway)]

    findings = asyncio.run(run())
    failed = sum(finding.state is State.WRONG for finding in findings)
    if as_json:
        shown = {"wrong": failed, "findings": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            if everything or finding.state is not State.WELL:
                typer.echo(f"{_MARKS[finding.state]}  {finding.check}  {finding.subject}: {finding.what}")
                if finding.mend:
                    typer.echo(f"      -> {finding.mend}")
        typer.echo(f"{len(findings)} checks, {failed} wrong  共 {len(findings)} 项检查,{failed} 项异常")
    if failed:
        raise typer.Exit(1)
