"""Start the full-screen program, and leave the terminal as it was."""

from __future__ import annotations

import gc
from contextlib import suppress

from jupytui.config.options import Options

CLOSING = 0.3  # seconds for connections to end politely; they end with the process anyway


def run(options: Options) -> int:
    """Show the screen until the user leaves it; return the exit status. Raises ConfigError for a theme there is not.

    The last known picture is on the terminal before anything large is imported. Until the toolkit's first paint the
    collector rests: what imports make is not garbage, and looking through it takes a tenth of the time.
    """
    gc.disable()
    from jupytui.ui.early import early_picture

    with early_picture(options):
        import asyncio

        from jupytui.ui.styles.color import prepare_terminal

        prepare_terminal(options.config.settings)
        return asyncio.run(_run(options))


async def _run(options: Options) -> int:
    from asyncio import wait_for

    from jupytui.ui.program import Program
    from jupytui.ui.signals import end_on_signals

    program = Program(options)
    end_on_signals(lambda status: program.exit(return_code=status))
    try:
        await program.run_async(mouse=options.mouse)
    finally:
        with suppress(TimeoutError):
            await wait_for(program.close(), CLOSING)
    return program.return_code or 0
