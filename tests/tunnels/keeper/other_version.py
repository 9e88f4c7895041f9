"""The keeper, calling itself the version in the first argument."""

import sys

import jupytui

jupytui.__version__ = sys.argv.pop(1)

if __name__ == "__main__":
    from jupytui.tunnels.keeper.process import run

    run()
