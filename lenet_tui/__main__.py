"""``python -m lenet_tui`` is ``lenet-tui``."""

from lenet_tui.cli.main import main

raise SystemExit(main())
