"""The demo from an empty folder to a proved trail: makes the dossier, runs the platform, goes through the case."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from casemesh.cli import demo_case, send_dossier
from casemesh.cli.demo_agencies import COURT, POLICE, PROCURATORATE, enrol, leave_profiles
from casemesh.cli.demo_denial import Resources, try_to_see
from casemesh.cli.demo_dossier import make_dossier
from casemesh.cli.demo_report import DemoReport, Step, compare_with_report
from casemesh.cli.demo_scratch import folder_bytes, require_space, scratch_folder
from casemesh.cli.disk_limit import seconds_to_write
from casemesh.cli.get_dossier import read_version, verify_pages
from casemesh.cli.invocation import Failure
from casemesh.cli.output import Output
from casemesh.cli.trace_commands import fetch_spans
from casemesh.cli.trace_tree import services
from casemesh.cli.transfer_progress import transfer_progress
from casemesh.client.dossier_download import download_dossier
from casemesh.client.profile import read_roots
from casemesh.client.session import OperatorSession
from casemesh.client.trace_context import TraceContext, tracing
from casemesh.core.units import format_size
from casemesh.pki.authority import Pki

if TYPE_CHECKING:
    from casemesh.local.platform import Addresses

_TRACED = frozenset({"gateway", "routing", "identity", "translation", "dossier", "audit"})
_TRACE_SECONDS = 15.0


@dataclass(frozen=True)
class DemoOptions:
    """What was asked for. `source` is a folder of the user's own; `data` that of a platform to use."""

    pages: int
    size_bytes: int
    seed: int
    source: Path | None
    data: Path | None
    keep: bool


@dataclass(frozen=True)
class _Made:
    folder: Path
    size_bytes: int


async def run_demo(options: DemoOptions, output: Output, done: Callable[[Step], None]) -> DemoReport:
    """Go through all steps and return what was found.

    Raises what a step raises. The scratch folder is removed unless `options.keep`; a running platform is left as it is
    but for what the case added.
    """
    report = DemoReport()
    with scratch_folder(options.data, output, keep=options.keep) as work:
        made = await _dossier(options, work, output, report, done)
        async with (
            demo_platform(options.data, work, output, report, done) as (addresses, store),
            AsyncExitStack() as stack,
        ):
            profiles = options.data / "demo" if options.data is not None else None
            await _Demo(addresses, store, work, profiles, made, output, report, done).run(stack)
    return report


class _Demo:
    """The steps of the case, with what they share."""

    def __init__(
        self,
        addresses: Addresses,
        store: Path,
        work: Path,
        profiles: Path | None,
        made: _Made,
        output: Output,
        report: DemoReport,
        done: Callable[[Step], None],
    ) -> None:
        self._profiles = profiles
        self._addresses = addresses
        self._store = store
        self._work = work
        self._made = made
        self._output = output
        self._report = report
        self._done = done
        self._pki = Pki(Path(addresses.pki))
        self._roots = read_roots(self._pki.layout.signing_trust)

    async def run(self, stack: AsyncExitStack) -> None:
        report, done = self._report, self._done
        with report.step("enrol", done) as step:
            police, procuratorate, court = await self._enrol(stack)
            outsider = await demo_case.open_session(stack, procuratorate.agency.officers[1])
            step.detail = ", ".join(organ.agency.display_name for organ in (police, procuratorate, court))
        with report.step("register", done) as step:
            case = await demo_case.register(police)
            step.detail = case.name
        sent = await self._send(police, case.name)
        version = sent.version
        with report.step("disk", done) as step:
            step.seconds = disk_seconds = await self._measure_disk()
            step.size_bytes, step.detail = self._made.size_bytes, self._output.text("demo.disk_detail")

        with tracing() as trace, report.step("submit", done) as step:
            transfer = await demo_case.submit(
                police, procuratorate, case, demo_case.TRANSFER, version.name, demo_case.transfer_fields()
            )
            charge = demo_case.translated(transfer, "main_charge")
            step.detail = f"{transfer.node} {demo_case.TRANSFER}; {charge.code} {charge.display}"
        with report.step("receive", done) as step:
            delivery = await procuratorate.inbox.next()
            step.detail = delivery.name
        with report.step("accept", done):
            await demo_case.take_on(procuratorate, delivery.exchange, "演示检诉1号")
        verified_pages = await self._download_and_verify(procuratorate, version.name)

        stored_before = folder_bytes(self._store)
        with report.step("prosecute", done) as step:
            prosecution = await demo_case.submit(
                procuratorate, court, case, demo_case.PROSECUTION, version.name, demo_case.prosecution_fields(charge)
            )
        with report.step("court_receive", done):
            filed = await court.inbox.next()
            await demo_case.take_on(court, filed.exchange, "演示刑初1号")
            handed = await read_version(court.officer, filed.exchange.dossier_version)
        copied = folder_bytes(self._store) - stored_before
        step.detail = self._output.text("demo.handed_over", copied=format_size(copied))
        if handed.root_hash != version.root_hash:
            raise Failure(6, "demo.other_root")
        with report.step("judgment", done) as step:
            answer = await demo_case.give_judgment(court, prosecution)
            notice = await procuratorate.inbox.next()
            step.detail = f"{notice.exchange.node} {demo_case.JUDGMENT}"

        with report.step("denied", done) as step:
            denial = await try_to_see(
                outsider, Resources(case.name, version.name.split("/versions/")[0], version.name, answer.name)
            )
            answers = sorted(set(denial.attempts.values()))
            step.detail = self._output.text(
                "demo.denied_detail", count=len(denial.attempts), answers=", ".join(answers)
            )
        with report.step("trail", done) as step:
            trail = await demo_case.prove_trail(procuratorate.officer, case.name, self._roots, last="exchange.answered")
            step.detail = self._output.text("demo.trail_detail", events=len(trail.events), size=trail.checkpoint.size)
        with report.step("trace", done) as step:
            traced = await self._traced(trace)
            step.detail = ", ".join(traced)

        end_to_end = report.seconds("upload", "submit", "receive", "accept", "download", "verify")
        report.figures = {
            "pages": version.page_count,
            "bytes": version.size_bytes,
            "documents": version.document_count,
            "upload_seconds": round(report.seconds("upload"), 4),
            "handover_seconds": round(report.seconds("prosecute"), 4),
            "download_seconds": round(report.seconds("download"), 4),
            "verify_seconds": round(report.seconds("verify"), 4),
            "disk_seconds": round(disk_seconds, 4),
            "verified_pages": verified_pages,
            "handover_copied_bytes": copied,
            "denied": denial.learned_nothing,
            "denied_attempts": denial.attempts,
            "trail_events": len(trail.events),
            "trail_verified": bool(trail.events),
            "trace_id": trace.trace_id,
            "trace_services": traced,
            "end_to_end_seconds": round(end_to_end, 4),
            "times_faster_than_reported": round(compare_with_report(version.size_bytes, end_to_end), 2),
            "case": case.name,
            "version": version.name,
        }

    async def _enrol(self, stack: AsyncExitStack) -> list[demo_case.Organ]:
        certificate = self._pki.layout.service("operator").certificate.parent
        async with OperatorSession(self._addresses.services, certificate) as operator:
            agencies = [
                await enrol(plan, self._pki, operator, self._addresses, self._pki.layout.signing_trust)
                for plan in (POLICE, PROCURATORATE, COURT)
            ]
        if self._profiles is not None:
            # The platform stays when the demo has ended, and so may whoever tries it out.
            left = leave_profiles(agencies, self._profiles)
            self._output.notice("demo.profiles", folder=self._profiles.resolve(), example=left[1])
        organs = [await demo_case.open_organ(stack, agency, self._work) for agency in agencies]
        for organ in organs:
            await demo_case.let_in(organ.system)
        return organs

    async def _send(self, police: demo_case.Organ, case: str) -> send_dossier.Sent:
        journal_file = self._work / "sending.json"
        journal, found = send_dossier.prepare(self._made.folder, case, "侦查卷宗(演示)", journal_file, again=True)
        with self._report.step("count", self._done) as step:
            documents, unreadable = await asyncio.to_thread(send_dossier.count_pages, found)
            pages = sum(document.page_count for document in documents)
            step.detail = self._output.text("demo.count_detail", documents=len(documents), pages=pages)
        for path in unreadable:
            self._output.notice("send.unreadable", path=path)
        with self._report.step("upload", self._done) as step:
            with transfer_progress(self._output, "progress.send", self._made.size_bytes) as advance:
                sent = await send_dossier.send(
                    police.officer, journal, journal_file, documents, lambda progress: advance(progress.committed_bytes)
                )
            step.size_bytes = sent.version.size_bytes
            step.detail = f"{format_size(step.size_bytes / max(sent.upload_seconds, 1e-9))}/s; {sent.version.name}"
        return sent

    async def _measure_disk(self) -> float:
        sources = [path for path in sorted(self._made.folder.rglob("*")) if path.is_file()]
        return await asyncio.to_thread(seconds_to_write, sources, self._store / "demo-disk-limit")

    async def _download_and_verify(self, procuratorate: demo_case.Organ, version: str) -> int:
        target = self._work / "received"
        with self._report.step("download", self._done) as step:
            with transfer_progress(self._output, "progress.get", self._made.size_bytes) as advance:
                downloaded = await download_dossier(
                    procuratorate.officer.dossier_read,
                    version,
                    target,
                    self._roots,
                    progress=lambda progress: advance(progress.received_bytes),
                )
            step.size_bytes = downloaded.received_bytes
        with self._report.step("verify", self._done) as step:
            verified = await verify_pages(downloaded.folder, self._roots)
            step.size_bytes = verified.size_bytes
            step.detail = self._output.text("demo.verify_detail", pages=verified.page_count)
        return verified.page_count

    async def _traced(self, trace: TraceContext) -> list[str]:
        """Return the services whose spans are in the transfer's trace or link to it, once they have all arrived."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _TRACE_SECONDS
        while True:
            try:
                found = services(await fetch_spans(self._addresses.traces, trace.trace_id))
            except Failure:
                found = []
            if set(found) >= _TRACED or loop.time() >= deadline:
                return found
            await asyncio.sleep(0.5)


async def _dossier(
    options: DemoOptions, work: Path, output: Output, report: DemoReport, done: Callable[[Step], None]
) -> _Made:
    if options.source is not None:
        size = folder_bytes(options.source)
        require_space(work, size)
        return _Made(options.source, size)
    require_space(work, options.size_bytes)
    folder = work / "dossier"
    with report.step("make", done) as step:
        with transfer_progress(output, "progress.make", options.size_bytes) as advance:
            loop = asyncio.get_running_loop()

            def made(size_bytes: int, _: int) -> None:
                loop.call_soon_threadsafe(advance, size_bytes)

            dossier = await asyncio.to_thread(
                make_dossier,
                folder,
                seed=options.seed,
                pages=options.pages,
                total_bytes=options.size_bytes,
                progress=made,
            )
        # What the disk still has to write of it must not be counted against the upload.
        await asyncio.to_thread(os.sync)
        step.size_bytes = dossier.size_bytes
        step.detail = output.text("demo.make_detail", files=len(dossier.files), pages=dossier.page_count)
    return _Made(folder, dossier.size_bytes)


@asynccontextmanager
async def demo_platform(
    data: Path | None, work: Path, output: Output, report: DemoReport, done: Callable[[Step], None]
) -> AsyncIterator[tuple[Addresses, Path]]:
    """Give the addresses of a platform and the folder of its packs: the one that runs on `--data`, or one started."""
    from casemesh.local.configuration import MachineLayout
    from casemesh.local.platform import PlatformError, running_addresses, running_platform

    folder = data or work / "platform"
    layout = MachineLayout(folder.resolve())
    if data is not None:
        try:
            running = running_addresses(data)
        except PlatformError:
            running = None
        if running is not None:
            yield running, layout.dossiers
            return
    async with AsyncExitStack() as stack:
        with report.step("start", done) as step:
            addresses = await stack.enter_async_context(running_platform(folder, gateway_port=0))
            step.detail = output.text("demo.start_detail", gateway=addresses.gateway)
        yield addresses, layout.dossiers
