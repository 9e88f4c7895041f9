"""Entry point of `jupytui` and `python -m jupytui`."""

import sys

from jupytui.cli import main

if __name__ == "__main__":
    sys.exit(main())
