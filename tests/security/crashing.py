"""The program with a mistake planted in it: whoever answers a question with a secret makes it fall over.

The exception carries the secret in its message, and the frames above it have it in local variables.
"""

from __future__ import annotations

import sys

from jupytui.cli import main


def stumble(value: str) -> None:
    """In the place of `Secret(value)`."""
    answer = value
    raise RuntimeError(f"planted mistake: {answer}")


if __name__ == "__main__":
    import jupytui.cli.prompts
    import jupytui.ui.dialogs.prompt

    for module in (jupytui.cli.prompts, jupytui.ui.dialogs.prompt):
        module.Secret = stumble  # type: ignore[attr-defined]
    sys.exit(main())
