"""Over a real SSH connection to a real sshd on loopback: the connection goes, the runs stay."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lenet_tui.runner import daemon
from lenet_tui.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.runner.conftest import Bench

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
pytestmark = pytest.mark.skipif(
    SSHD is None or shutil.which("ssh") is None,
    reason="no OpenSSH server here (Debian: apt-get install openssh-server)",
)


@dataclass
class Server:
    command: list[str]

    def session(self, remote: str) -> subprocess.Popen[str]:
        """Log in with a terminal, as a person does, and run a command there."""
        return subprocess.Popen(
            [*self.command, "-tt", "localhost", remote],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    home = tmp_path / "ssh"
    home.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / name)], check=True)
    (home / "authorized_keys").write_text((home / "user.pub").read_text())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": str(home / "host"),
        "AuthorizedKeysFile": str(home / "authorized_keys"),
        "PidFile": "none",
        "StrictModes": "no",  # the test's folder lies below one that everybody may write to
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
    }
    (home / "config").write_text("".join(f"{key} {value}\n" for key, value in options.items()))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd insists on its privilege separation
    process = subprocess.Popen([str(SSHD), "-D", "-e", "-f", str(home / "config")], stderr=subprocess.PIPE, text=True)
    client = ["ssh", "-p", str(port), "-i", str(home / "user"), "-l", getpass.getuser(), "-F", "none"]
    client += ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        time.sleep(0.05)
    yield Server(client)
    process.terminate()
    process.wait()


def remote(bench: Bench, *words: object) -> str:
    """The command line that a person would type, with what this test needs set."""
    wanted = {k: v for k, v in bench.env.items() if k.startswith("LENET_TUI_")}
    settings = " ".join(f"{key}={shlex.quote(value)}" for key, value in wanted.items())
    package = shlex.quote(str(Path(__file__).parents[2]))
    command = shlex.join([sys.executable, "-m", "lenet_tui", *map(str, words)])
    return f"cd {shlex.quote(str(bench.root))} && export PYTHONPATH={package} {settings} && {command}"


def test_a_dropped_connection_ends_no_run_and_the_next_one_sees_progress_and_results(
    bench: Bench, server: Server
) -> None:
    grid = ("--dataset", "digits", "--threads", 1, "--tsne-samples", 100, "--epochs", 100, "--batch-size", "16,32,64")
    session = server.session(remote(bench, "queue", "add", *grid) + "; sleep 1000")
    store_file = bench.root / ".lenet-tui" / "store.db"
    bench.wait_for(store_file.exists)
    store = Store(bench.root)
    bench.wait_for(lambda: len(store.queue()) == 3 and store.get(1).epochs_done >= 2)
    session.kill()  # the laptop is closed
    session.wait()

    done = store.get(1).epochs_done
    bench.wait_for(lambda: store.get(1).epochs_done > done)
    assert daemon.is_running(bench.root)

    again = server.session(remote(bench, "queue", "list"))
    shown, _ = again.communicate(timeout=60)
    assert again.returncode == 0
    assert "epoch " in shown
    waited = server.session(remote(bench, "queue", "wait"))
    shown, _ = waited.communicate(timeout=200)
    assert waited.returncode == 0, shown
    assert {run.state for run in store.runs()} == {"finished"}
    assert {run.attempts for run in store.runs()} == {1}  # no worker had to start again


def test_a_foreground_run_whose_connection_drops_stops_in_order_and_can_be_resumed(
    bench: Bench, server: Server
) -> None:
    words = ("train", "--dataset", "digits", "--threads", 1, "--tsne-samples", 100, "--epochs", 500)
    session = server.session(remote(bench, *words))
    bench.wait_for((bench.root / ".lenet-tui" / "store.db").exists)
    store = Store(bench.root)
    bench.wait_for(lambda: store.runs() and store.get(1).epochs_done >= 2)
    session.kill()
    session.wait()
    bench.wait_for(lambda: store.get(1).state == "stopped")
    folder = bench.root / str(store.get(1).folder)
    assert (folder / "checkpoint.pt").exists()
    assert (folder / "loss.png").exists()
