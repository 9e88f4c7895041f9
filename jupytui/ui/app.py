"""Start the full-screen program, and leave the terminal as it was."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from jupytui.config.options import Options

if TYPE_CHECKING:
    from jupytui.ui.program import Program

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
        _say_what_stays(program)
        with suppress(TimeoutError):
            await wait_for(program.close(), CLOSING)
    return program.return_code or 0


def _say_what_stays(program: Program) -> None:
    """Say once, on the terminal that is the user's again, which tunnels go on."""
    from jupytui.figures import plural
    from jupytui.text import clean
    from jupytui.tunnels.models import TunnelState

    statuses = program.desk.live.tunnels.statuses() if program.desk else ()
    names = [status.tunnel.name for status in statuses if status.state is not TunnelState.DOWN]
    if names:
        stay = "stays" if len(names) == 1 else "stay"
        said = f"jupytui: {plural(len(names), 'tunnel')} {stay}: {', '.join(names)}."
        print(clean(f"{said} `jupytui tunnel down --all` ends them."), file=sys.stderr)
