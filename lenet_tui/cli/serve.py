"""``lenet-tui serve``: the app in a browser, for those without a good terminal."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import secrets
import shlex
import sys
from typing import TYPE_CHECKING, Any

from lenet_tui.cli import flags, output
from lenet_tui.errors import LabError, UsageError
from lenet_tui.host import ssh
from lenet_tui.run.folder import check_root

if TYPE_CHECKING:
    import argparse

_LOOPBACK = "127.0.0.1"
_PORT = 8000


def add_parser(commands: argparse._SubParsersAction[Any]) -> None:
    """Add the command ``serve``."""
    parser = commands.add_parser(
        "serve",
        help="show the app in a browser, on this machine only",
        description="Serve the app to browsers until Ctrl-C, and print its address. The address has a secret part, new "
        "each time: who has it can use the app. Each page that is open has an app of its own. The runs go on.",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=flags.whole_number(0, 65535), default=_PORT, metavar="N", help=_PORT_HELP)
    parser.add_argument("--host", default=_LOOPBACK, metavar="ADDRESS", help=_HOST_HELP)
    flags.add_root(parser, may_be_missing=True)
    flags.add_json(parser)
    parser.set_defaults(run=run)


_PORT_HELP = f"port to listen on; 0 takes a free one (default {_PORT})"
_HOST_HELP = f"address to listen on, as browsers call it (default {_LOOPBACK}, which only this machine reaches)"


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes. Raises `LabError` without textual-serve, or when the port is taken."""
    address = _address(arguments.host)
    if importlib.util.find_spec("textual_serve") is None:
        python = shlex.quote(sys.executable)
        raise LabError(f"serve needs a library that is not installed: {python} -m pip install textual-serve")
    check_root(arguments.root)
    root = arguments.root.absolute()

    from lenet_tui.cli import web

    def announce(url: str, port: int) -> None:
        if arguments.json:
            output.say_json_line({"url": url, "port": port, "root": str(root)})
            return
        output.say(url, flush=True)
        if not address.is_loopback:
            output.tell("the network can read what goes to and fro, the address included: it is not encrypted")
        elif login := ssh.login():
            output.tell(f"first, on your own machine: ssh -L {port}:{arguments.host}:{port} {login}")
        output.tell(f"the app of {root} is at this address; Ctrl-C ends it, and the runs go on")

    command = [sys.executable, "-m", "lenet_tui", "--root", os.fspath(root)]
    web.serve(command, str(address), arguments.port, secrets.token_urlsafe(24), announce)
    return 0


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address(_LOOPBACK if text == "localhost" else text)
    except ValueError:
        raise UsageError(f"--host {text} must be an address of this machine, as {_LOOPBACK}") from None
    if address.is_unspecified:
        raise UsageError(f"--host {text} is every address; give the one that browsers use")
    return address
