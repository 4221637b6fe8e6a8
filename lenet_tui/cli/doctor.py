"""``lenet-tui doctor``: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from rich.table import Table
from rich.text import Text

from lenet_tui import data
from lenet_tui.cli import flags, output
from lenet_tui.config import DATASET_TITLES, DatasetName
from lenet_tui.engine import library as engine
from lenet_tui.errors import LabError
from lenet_tui.formatting import printable
from lenet_tui.host import folders
from lenet_tui.host.hardware import available_cores, package_version, total_cores
from lenet_tui.run.folder import check_root
from lenet_tui.runner import daemon

if TYPE_CHECKING:
    import argparse

Verdict = Literal["ok", "note", "problem"]
_MARKS: dict[Verdict, tuple[str, str]] = {"ok": ("✓", "green"), "note": ("·", "yellow"), "problem": ("✗", "bold red")}
_SMALLEST_TERMINAL = (80, 24)


@dataclass(frozen=True)
class Finding:
    """One topic: its state in words, whether that is fine, and what to do where it is not."""

    topic: str
    verdict: Verdict
    detail: str
    remedy: str = ""


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``doctor``."""
    parser = commands.add_parser(
        "doctor",
        help="check this machine: what is missing, and how to get it",
        description="Check Python, torch and torchvision, devices and cores, data sets, terminal, root, and whether "
        "background runs survive logout. ✓ is fine, · is a note, ✗ is a problem; each comes with what to do. It "
        "changes and fetches nothing. The exit code is 1 with any ✗.",
        allow_abbrev=False,
    )
    flags.add_root(parser, may_be_missing=True)
    flags.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; return 1 when one of them keeps runs from working."""
    findings = examine(arguments.root)
    if arguments.json:
        output.say_json([asdict(finding) | {"found": finding.detail} for finding in findings])  # its name in 0.1
    else:
        _show(findings)
    return 1 if any(finding.verdict == "problem" for finding in findings) else 0


def examine(root: Path) -> list[Finding]:
    """Look at everything a run needs, without changing anything."""
    return [_python(), *_torch(), _cores(), _engine(), *_datasets(), _terminal(), _root(root), _runner(root), _logout()]


def _python() -> Finding:
    return Finding("Python", "ok", f"{platform.python_version()} ({sys.executable})")


def _torch() -> list[Finding]:
    try:
        import torch
    except Exception as error:  # noqa: BLE001 - its compiled parts raise what they like
        return [Finding("torch", "problem", f"cannot be imported: {error}", "pip install torch torchvision")]
    from lenet_tui.training import device

    return [
        Finding("torch", "ok", torch.__version__),
        _torchvision(torch.__version__),
        Finding(
            "devices",
            "ok",
            ", ".join(_device(name, device.describe(torch.device(name))) for name in device.available()),
        ),
    ]


def _device(name: str, description: str) -> str:
    return name if description == name else f"{name} ({description})"


def _torchvision(torch_version: str) -> Finding:
    version = package_version("torchvision")
    if version is None:
        return Finding("torchvision", "problem", "not installed", "pip install torchvision")
    # torchvision's own metadata names the one torch that its compiled part was built for.
    needs = [r for r in importlib.metadata.requires("torchvision") or [] if r.startswith("torch==")]
    wanted = needs[0].removeprefix("torch==").partition(";")[0].strip() if needs else None
    if wanted is not None and torch_version.partition("+")[0] != wanted:
        return Finding(
            "torchvision",
            "problem",
            f"{version} was built for torch {wanted}, but torch {torch_version} is installed",
            f"pip install torch=={wanted}, or a torchvision built for torch {torch_version.partition('+')[0]}",
        )
    if not _imports_by_itself("torchvision"):
        return Finding(
            "torchvision",
            "note",
            f"{version}, whose compiled part does not load with this torch build",
            "lenet-tui does not need that part; to get it, install torch and torchvision from the same index",
        )
    return Finding("torchvision", "ok", f"{version}, built for torch {torch_version}")


def _imports_by_itself(name: str) -> bool:
    try:
        importlib.import_module(name)
    except (ImportError, RuntimeError):
        return False
    return True


def _cores() -> Finding:
    cores, total = available_cores(), total_cores()
    return Finding("CPU cores", "ok", str(cores) if cores == total else f"{cores} of {total} usable by this process")


def _engine() -> Finding:
    """Whether the native engine computes LeNet, and why not."""
    instructions, problem = engine.instructions()
    if instructions:
        others = [name for name in engine.library().available if name != instructions]
        besides = f"; also here: {', '.join(others)}" if others else ""
        return Finding("engine", "ok", f"native, for LeNet on the CPU, with {instructions}{besides}")
    remedy = "install a C++ compiler (g++ or clang), then lenet-tui again; without it, runs are right, but slower"
    if engine.library().handle is not None:
        remedy = f"unset {engine.VARIABLE}, or give one of these"
    return Finding("engine", "note", f"torch; not native: {problem}", remedy)


def _datasets() -> list[Finding]:
    result = []
    for name in get_args(DatasetName):
        title = DATASET_TITLES[name]
        try:
            if data.locate(name) is None:
                result.append(Finding(title, "note", "not here yet", f"lenet-tui data get {name} (or just train)"))
            else:
                result.append(Finding(title, "ok", f"verified: {data.verify(name).source}"))
        except LabError as error:
            result.append(Finding(title, "problem", str(error), f"lenet-tui data get {name}, or repair the folder"))
    return result


def _terminal() -> Finding:
    if not output.is_terminal():
        return Finding("terminal", "note", "none (the output is a pipe or file)", "train prints plain lines into it")
    columns, lines = shutil.get_terminal_size()
    console = output.console()
    colours = {None: "no colours", "standard": "16 colours", "256": "256 colours", "truecolor": "true colour"}
    encoding = output.stdout.encoding
    result = f"{os.environ.get('TERM', 'TERM is not set')}, {columns}×{lines}, "
    result += f"{colours.get(console.color_system, console.color_system)}, {encoding}"
    if encoding.lower().replace("-", "") != "utf8":
        return Finding("terminal", "note", result, "set a UTF-8 locale (export LC_ALL=C.UTF-8) to see lines and marks")
    if columns < _SMALLEST_TERMINAL[0] or lines < _SMALLEST_TERMINAL[1]:
        return Finding("terminal", "note", result, "80×24 or more shows everything")
    return Finding("terminal", "ok", result)


def _root(root: Path) -> Finding:
    try:
        if not root.exists():
            return Finding("root", "note", f"{root} does not exist", "'train' and 'queue add' create it")
        check_root(root)
    except OSError as error:
        return Finding("root", "problem", f"cannot look at {root}: {error.strerror}", "give another with --root")
    except LabError as error:
        return Finding("root", "problem", str(error), "give another with --root or LENET_TUI_ROOT")
    free = shutil.disk_usage(root).free / 1e9
    if free < 1:
        return Finding(
            "root", "note", f"{root.resolve()}, {free:.1f} GB free", "a run takes up to 50 MB; free some space"
        )
    return Finding("root", "ok", f"{root.resolve()} is writable, {free:.0f} GB free")


def _runner(root: Path) -> Finding:
    """Whether the background runner works, and why it could not start."""
    try:
        failure = daemon.last_failure(root)
        alive = daemon.is_running(root)
    except LabError as error:
        return Finding("runner", "problem", str(error), "then: lenet-tui runner start")
    if failure is not None:
        log = daemon.log_path(root)
        return Finding(
            "runner", "problem", f"cannot start: {failure}", f"lenet-tui runner start tries again; see {log}"
        )
    return Finding("runner", "ok", "running" if alive else "stopped; it starts when a run is queued")


def _logout() -> Finding:
    """Whether the system ends a user's processes at logout, and with them the runner."""
    if not _logind_kills():
        return Finding("after logout", "ok", "processes continue")
    user = folders.user_name()
    if Path(f"/var/lib/systemd/linger/{user}").exists():
        return Finding("after logout", "ok", f"processes continue: lingering is enabled for {user}")
    return Finding(
        "after logout",
        "note",
        "this system ends a user's processes at logout, also the runner and its runs",
        "'loginctl enable-linger' keeps them; without it, your next lenet-tui command continues the runs",
    )


def _logind_kills() -> bool:
    """Say whether systemd-logind is there and has KillUserProcesses on, by its configuration files."""
    if not Path("/run/systemd/seats").exists():
        return False
    kills = False  # systemd's own default, which distributions seldom change
    files = [Path("/usr/lib/systemd/logind.conf"), Path("/etc/systemd/logind.conf")]
    for folder in ("/usr/lib/systemd/logind.conf.d", "/run/systemd/logind.conf.d", "/etc/systemd/logind.conf.d"):
        files += sorted(Path(folder).glob("*.conf"))
    for path in files:
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, value = line.partition("=")
            if key.strip() == "KillUserProcesses":
                kills = value.strip().lower() in ("yes", "true", "on", "1")
    return kills


def _show(findings: list[Finding]) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    for finding in findings:
        mark, style = _MARKS[finding.verdict]
        text = Text(printable(finding.detail))
        if finding.remedy:
            text.append(f"\n→ {printable(finding.remedy)}", style="bold")
        table.add_row(Text(mark, style=style), Text(finding.topic, style="bold"), text)
    output.console().print(table)
