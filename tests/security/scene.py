"""A host, its accounts and servers, and a home here: with a secret of every kind, each a marker."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from secrets import randbelow

from jupytui.config.paths import find_paths
from jupytui.tunnels.keeper.place import find_place
from tests.e2e.program import JUPYTUI, write_config
from tests.lab.accounts import add_account
from tests.lab.host import LabHost
from tests.lab.jupyter import PASSWORD, VENV, JupyterServer, Recipe, start_jupyter
from tests.lab.lab import Lab
from tests.security import crashing
from tests.security.marks import Marks, marker
from tests.security.terminal import Quiet
from tests.tunnels.keeper.conftest import keepers
from tests.tunnels.public.stand_in import place_stand_in

NAME = "mk1"
START = 60.0
DONE = 180.0
TOKEN_SERVER, PASSWORD_SERVER = f"{NAME}:8890", f"{NAME}:8888"
B = "/home/alice/b"

TYPED = ("ssh-password", "passphrase", "otp-password", "otp-code", "sudo-password", "jupyter-old", "jupyter-new")
KEPT = ("jupyter-token", "ngrok-token")


class Scene:
    """`secrets` by kind; `given`: what the program gave to terminals and pipes, by what was run; `program` runs it."""

    program = JUPYTUI

    def __init__(self, lab: Lab, home: Path, aside: Path) -> None:
        self.lab, self.home, self.aside = lab, home, aside
        self.host = lab.host(NAME)
        self.secrets = {kind: marker(kind) for kind in (*TYPED, *KEPT)}
        self.secrets["otp-code"] = str(10_000_000 + randbelow(90_000_000))
        self.given: dict[str, bytes] = {}
        self.marks = Marks()
        for kind, secret in self.secrets.items():
            self.marks.add(kind, secret)

    # What is there before anybody looks

    def prepare(self) -> None:
        """Everything that the program meets; nothing of this is searched for traces of how it was made."""
        self._accounts()
        self.server = self._servers()
        self.config = self._home()

    def _accounts(self) -> None:
        host, secrets = self.host, self.secrets
        add_account(host, "words", group="lab-password")
        add_account(host, "keyed", key=False)
        add_account(host, "codes", group="lab-otp")
        passwords = {"alice": "sudo-password", "words": "ssh-password", "codes": "otp-password"}
        host.exec("chpasswd", input="".join(f"{user}:{secrets[kind]}\n" for user, kind in passwords.items()))
        scratch = f'JUPYTUIJUPYTUIJUPYTUIJUPYTUIJUPY\n" TOTP_AUTH\n{secrets["otp-code"]}\n'
        host.write("/home/codes/.google_authenticator", scratch, user="codes", mode="400")
        self.key = self.aside / "id_keyed"
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", secrets["passphrase"], "-f", str(self.key)]
        subprocess.run(make, check=True)
        host.write("/home/keyed/.ssh/authorized_keys", self.key.with_suffix(".pub").read_text(), user="keyed")

    def _servers(self) -> JupyterServer:
        """One with a password under a system unit, and one with a token and a log that a token is in."""
        config = {"IdentityProvider": {"token": self.secrets["jupyter-token"]}, "ServerApp": {"port": 8890}}
        self.host.write(f"{B}/jupyter_server_config.json", json.dumps(config), user="alice")
        self.host.write(f"{B}/log", f"GET /lab?token={self.secrets['jupyter-token']} 200\n", user="alice")
        run = f"JUPYTER_CONFIG_DIR={B} nohup {VENV}/bin/jupyter-lab --no-browser >>{B}/log 2>&1 </dev/null &"
        self.host.exec(run, user="alice")
        recipe = Recipe(NAME, "system-unit", "work.ipynb", password=PASSWORD, server_app={"allow_remote_access": True})
        server = start_jupyter(self.lab, self.host, recipe)
        # From now on whatever we make there is made under the most careless umask.
        self.host.exec("sed -i '1i umask 000' .bashrc", user="alice")
        return server

    def _home(self) -> Path:
        address = self.host.address
        blocks = [self.lab.ssh_host(NAME, address)]
        blocks += [self.lab.ssh_host(user, address, user) for user in ("words", "keyed", "codes")]
        blocks[2] = blocks[2].replace(str(self.lab.identity), str(self.key))
        ssh_config = self.home / "ssh_config"
        ssh_config.write_text("".join(blocks))
        config = write_config(self.home, self.lab, [NAME, "words", "keyed", "codes"])
        config.write_text(config.read_text().replace(str(self.lab.ssh_config), str(ssh_config)))
        binary = place_stand_in(self.home / "bin", url="http://127.0.0.1:{port}")
        (self.home / "tmp").mkdir()
        path = f"{binary.parent}:{os.environ['PATH']}"
        self.env = {"PATH": path, "TMPDIR": str(self.home / "tmp")}
        return config

    # What is done

    def run(self, *words: str) -> str:
        """Run `jupytui WORDS` without a terminal; its stdout."""
        done = subprocess.run(
            [*self.program, "--config", str(self.config), *words],
            env=os.environ | self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=DONE, check=False,
        )  # fmt: skip
        self.given[f"stdout of jupytui {' '.join(words[:2])}"] = done.stdout
        self.given[f"stderr of jupytui {' '.join(words[:2])}"] = done.stderr
        assert done.returncode in {0, 3}, done.stderr.decode()
        return done.stdout.decode()

    def converse(self, *words: str, stdin: str = "", status: int = 0) -> str:
        """Run `jupytui WORDS` in a terminal and answer what it asks; `stdin` are its lines where that is a pipe."""
        argv = [*self.program, "--config", str(self.config), *words]
        if stdin:
            answers = self.aside / "answers"
            answers.write_text(stdin)
            argv = ["sh", "-c", 'exec "$@" <"$0"', str(answers), *argv]
        with Quiet(argv, env=self.env) as terminal:
            ended = terminal.converse(self._answers(), DONE)
            self.saw(f"jupytui {' '.join(words[:2])}", terminal)
        assert ended == status, self.given[f"the scrollback of jupytui {' '.join(words[:2])}"].decode()
        return self.given[f"the scrollback of jupytui {' '.join(words[:2])}"].decode()

    def _answers(self) -> dict[str, str]:
        return {
            r"wants alice's password [^:]*:": self.secrets["sudo-password"],
            r"ngrok account [^:]*:[^:]*:": self.secrets["ngrok-token"],
            r"The password of [^:]*:8888, [^:]*:": self.secrets["jupyter-old"],
            rf"Type {NAME} to go on:": NAME,
            r"Type yes to go on:": "yes",
        }

    def type(self, terminal: Quiet, kind: str) -> None:
        """Type a secret and keep what the screen then shows: its bytes came letter by letter."""
        terminal.whisper(self.secrets[kind])
        terminal.wait_quiet(0.3, START)
        shown = terminal.wait_until(lambda text: "•" * 8 in text or self.secrets[kind] in text, START)
        self.given[f"the screen when {kind} was typed, {len(self.given)}"] = shown.encode()

    def saw(self, what: str, terminal: Quiet) -> None:
        """Keep what the terminal was given, and what is on it."""
        self.given[f"the terminal's bytes of {what}"] = terminal.output()
        self.given[f"the scrollback of {what}"] = terminal.everything().encode()

    def crash(self, *words: str, seen: str, answer: str) -> None:
        """Make the program fall over a secret that was typed."""
        argv = [sys.executable, "-P", crashing.__file__, "--config", str(self.config), *words]
        root = str(Path(crashing.__file__).parents[2])
        with Quiet(argv, env=self.env | {"PYTHONPATH": root}) as terminal:
            terminal.wait_until(re.compile(seen), START)
            if words[0] == "--host":
                terminal.send("Enter")
                terminal.wait_until("escape", START)
            terminal.whisper(answer)
            terminal.send("Enter")
            assert terminal.exit_status(START)
            self.saw(f"a crash of {words[0]}", terminal)

    def end(self) -> None:
        """End the keeper, if there is one."""
        for pid in keepers(find_place(find_paths(str(self.config)))):
            with suppress(ProcessLookupError):
                os.kill(pid, 9)


def host_now(host: LabHost) -> float:
    """A moment that is surely over for file systems, whose clock ticks."""
    now = time.time()
    time.sleep(0.02)
    return now
