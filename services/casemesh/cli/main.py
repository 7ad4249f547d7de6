"""`casemesh`: what agencies and officers use.

Modules of commands import nothing heavy at their top, so that `casemesh --help` answers at once.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from casemesh.cli import (
    access_commands,
    agency_commands,
    case_change_commands,
    case_commands,
    case_progress_commands,
    catalogue_commands,
    check_command,
    code_commands,
    console_command,
    delivery_commands,
    demo_command,
    dossier_commands,
    draft_commands,
    exchange_commands,
    exchange_correction_commands,
    exchange_draft_commands,
    figure_commands,
    limit_commands,
    log_witness_commands,
    login_command,
    node_commands,
    profile_commands,
    proof_commands,
    query_commands,
    receipt_commands,
    receive_command,
    trace_commands,
    track_commands,
    trail_commands,
    translate_command,
    warning_commands,
)

app = typer.Typer(
    name="casemesh",
    help="Handle a case together with other agencies.  跨部门办案协同。",
    epilog="Exit codes 退出码: 0 ok, 1 failed, 2 usage, 3 not found or denied, 4 invalid input, 5 unavailable (retry), "
    "6 verification failed, 7 must not leave so.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
case_progress_commands.register(case_commands.app)
case_change_commands.register(case_commands.app)
app.add_typer(case_commands.app, name="case")
draft_commands.register(dossier_commands.app)
proof_commands.register(dossier_commands.app)
check_command.register(dossier_commands.app)
catalogue_commands.register(dossier_commands.app)
app.add_typer(log_witness_commands.app, name="log-witness")
app.add_typer(dossier_commands.app, name="dossier")
exchange_correction_commands.register(exchange_commands.app)
exchange_commands.app.add_typer(exchange_draft_commands.app, name="draft")
app.add_typer(exchange_commands.app, name="exchange")
app.add_typer(track_commands.app, name="track")
app.add_typer(delivery_commands.app, name="delivery")
app.add_typer(receipt_commands.app, name="receipt")
receive_command.register(app)
translate_command.register(app)
app.add_typer(code_commands.app, name="code")
app.add_typer(node_commands.app, name="node")
app.add_typer(limit_commands.app, name="limit")
app.add_typer(query_commands.app, name="query")
app.add_typer(warning_commands.app, name="warning")
app.add_typer(figure_commands.app, name="figures")
app.add_typer(access_commands.app, name="access")
app.add_typer(agency_commands.app, name="agency")
app.add_typer(trail_commands.app, name="trail")
app.add_typer(trace_commands.app, name="trace")
app.add_typer(profile_commands.app, name="profile")
login_command.register(app)
console_command.register(app)
demo_command.register(app)


@app.callback(invoke_without_command=True)
def casemesh(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.  版本。")] = False,
) -> None:
    """Handle a case together with other agencies.  跨部门办案协同。"""
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("casemesh"))
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


def main() -> None:
    """Run `casemesh`."""
    sys.exit(app())


if __name__ == "__main__":
    main()
