"""`casemesh profile`: how to reach the platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from casemesh.cli.invocation import Invocation, command

app = typer.Typer(help="Where the platform is and who you are.  连接配置。", no_args_is_help=True)


@command(
    app,
    "add",
    example="casemesh profile add police --gateway 127.0.0.1:8443 --certificate ./certificates "
    "--officer agencies/../officers/..",
)
def add(
    run: Invocation,
    name: Annotated[str, typer.Argument(help="The profile's name.  配置名。")],
    gateway: Annotated[str, typer.Option("--gateway", help="host:port of the gateway.  网关地址。")],
    certificate: Annotated[
        Path, typer.Option("--certificate", help="Folder with tls.pem, tls.key, ca.pem.  证书目录。")
    ],
    officer: Annotated[str, typer.Option("--officer", help="Whom to act for; else the system.  代表的人员。")] = "",
    server_name: Annotated[
        str, typer.Option("--server-name", help="The name in the gateway's certificate.  网关证书名。")
    ] = "",
    log_key: Annotated[str, typer.Option("--log-key", help="The audit log's public key.  审计日志公钥。")] = "",
    signing_roots: Annotated[
        Path | None, typer.Option("--signing-roots", help="Roots of document signing, PEM.  签名根证书。")
    ] = None,
    login_check: Annotated[
        str, typer.Option("--login-check", help="The agency's command that tells whether it is you.  登录核验命令。")
    ] = "",
    login_level: Annotated[
        str, typer.Option("--login-level", help="password, two-factor or certificate.  核验方式。")
    ] = "password",
    purpose: Annotated[
        str, typer.Option("--purpose", help="For what dossiers are read by default, KIND[:WORDS].  默认查阅目的。")
    ] = "",
    traces: Annotated[str, typer.Option("--traces", help="Where to ask for traces.  跟踪服务地址。")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace one of that name.  覆盖。")] = False,
) -> None:
    """Make a profile.  新建配置。"""
    from casemesh.client.profile import DEFAULT_SERVER_NAME, Profile, config_folder, write_profile

    profile = Profile(
        name=name,
        gateway=gateway,
        certificate=certificate.absolute(),
        server_name=server_name or DEFAULT_SERVER_NAME,
        officer=officer,
        log_key=log_key,
        signing_roots=signing_roots.absolute() if signing_roots is not None else None,
        purpose=purpose,
        traces=traces,
        login_check=login_check,
        login_level=login_level,
    )
    profile.credentials()
    profile.trusted_roots()
    path = write_profile(config_folder(), profile, replace=replace)
    run.output.result({"profile": name, "file": str(path)}, str(path))


@command(app, "list", example="casemesh profile list")
def list_profiles(run: Invocation) -> None:
    """List the profiles.  列出配置。"""
    from casemesh.client import profile as profiles

    folder = profiles.config_folder()
    found = [profiles.read_profile(folder, name) for name in profiles.list_profiles(folder)]
    run.output.table(
        [{"profile": item.name, "gateway": item.gateway, "officer": item.officer} for item in found],
        ["PROFILE 配置", "GATEWAY 网关", "OFFICER 人员"],
        [(item.name, item.gateway, item.officer or "-") for item in found],
    )


@command(app, "show", example="casemesh profile show police")
def show(
    run: Invocation, name: Annotated[str, typer.Argument(help="The profile; else the one in use.  配置名。")] = ""
) -> None:
    """Show a profile.  查看配置。"""
    from casemesh.client.profile import choose_profile, config_folder

    profile = choose_profile(config_folder(), name or run.profile_name)
    value = {
        "profile": profile.name,
        "gateway": profile.gateway,
        "server_name": profile.server_name,
        "certificate": str(profile.certificate),
        "officer": profile.officer,
        "log_key": profile.log_key,
        "signing_roots": str(profile.signing_roots or ""),
        "purpose": profile.purpose,
        "traces": profile.traces,
        "login_check": profile.login_check,
        "login_level": profile.login_level if profile.login_check else "",
    }
    run.output.fields(value, value.items())
