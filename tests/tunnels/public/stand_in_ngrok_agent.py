"""A STAND-IN for the ngrok agent, version 3: its command line, configuration, log lines and API on 127.0.0.1.

`python stand_in_ngrok_agent.py SETTINGS start --none --log stdout --config ngrok.yml`. SETTINGS is a JSON file:

- `tokens`: those it accepts (any, when missing); `error`: 105, 107, 108 or 4018 at the start, 334 at an endpoint
- `silent`: it says nothing; `deaf`: its API never answers; `deaf_to`: nor to this method; `mute_on`: it takes
  this endpoint and does not say so; `fails`: this method is answered with a 500
- `port`: where its "internet" listens on 127.0.0.1 (0: any); `url`: how addresses there look, `{domain}` and `{port}`
  are filled in

What comes to the public port is led to the newest endpoint with the forwarding headers that ngrok adds, Host untouched;
whatever follows on the connection (websockets too) passes as it is. A dead upstream is ERR_NGROK_8012, as there.
Like the real one it refuses what it does not know in its configuration and API, and repeats a bad token in its errors.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml  # type: ignore[import-untyped]

AGENT_KEYS = {"authtoken", "web_addr", "inspect_db_size", "console_ui", "remote_management", "update_check"}
ENDPOINT_KEYS = {"name", "url", "upstream", "inspect"}
WORDS = {
    105: "authentication failed: The authtoken you specified does not look like a proper ngrok authtoken.\n"
    "Your authtoken: {token}",
    107: "authentication failed: The authtoken you specified is properly formed, but it is invalid.\n"
    "Your authtoken: {token}",
    108: "authentication failed: Your account is limited to 1 simultaneous ngrok agent sessions.",
    334: "failed to start tunnel: The endpoint '{url}' is already online.",
    4018: "authentication failed: Usage of ngrok requires a verified account and authtoken.",
}


def log(level: str, message: str, **fields: str) -> None:
    values = " ".join(f"{key}={json.dumps(value)}" for key, value in fields.items())
    print(f"t=2026-11-21T00:00:00+0000 lvl={level} msg={json.dumps(message)} {values}".rstrip(), flush=True)


def words(code: int, **values: str) -> str:
    return f"{WORDS[code].format(**values)}\n\nERR_NGROK_{code}\n"


class Agent:
    def __init__(self, settings: dict[str, Any], config: dict[str, Any]) -> None:
        self.settings = settings
        self.agent: dict[str, Any] = config["agent"]
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.port = 0

    async def run(self) -> None:
        public = await asyncio.start_server(self.visited, "127.0.0.1", self.settings.get("port", 0))
        self.port = public.sockets[0].getsockname()[1]
        host, _, port = self.agent["web_addr"].rpartition(":")
        api = await asyncio.start_server(self.asked, host, int(port))
        log("info", "starting web service", obj="web", addr=self.agent["web_addr"])
        self.authenticate()
        log("info", "client session established", obj="tunnels.session")
        log("info", "tunnel session started", obj="tunnels.session")
        await api.serve_forever()

    def authenticate(self) -> None:
        token, error = self.agent.get("authtoken", ""), self.settings.get("error")
        if not token:
            error = 4018
        elif token not in self.settings.get("tokens", [token]):
            error = 107
        if error in {105, 107, 108, 4018}:
            said = words(error, token=token)
            log("eror", "session closing", obj="tunnels.session", err=said)
            log("crit", "command failed", err=said)
            print("ERROR:", said, file=sys.stderr)
            sys.exit(1)

    # Its API

    async def asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        if self.settings.get("deaf") or self.settings.get("deaf_to") == method:
            await asyncio.Event().wait()
        lengths = [line.split(":")[1] for line in head.splitlines() if line.lower().startswith("content-length")]
        body = await reader.readexactly(int(lengths[0])) if lengths else b""
        wanted = json.loads(body) if body else {}
        status, answer = self.answer(method, path, wanted)
        if "mute_on" in self.settings and self.settings["mute_on"] == wanted.get("name"):
            await asyncio.Event().wait()
        data = b"" if answer is None else json.dumps(answer).encode()
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data)
        await writer.drain()
        writer.close()

    def answer(self, method: str, path: str, data: dict[str, Any]) -> tuple[str, object]:
        name = path.removeprefix("/api/endpoints").strip("/")
        if self.settings.get("fails") == method:
            return "500 Internal Server Error", {"status_code": 500, "msg": "it failed"}
        if not path.startswith("/api/endpoints"):
            return "404 Not Found", {"status_code": 404, "msg": "not found"}
        if method == "POST":
            return self.publish(data)
        if method == "DELETE":
            gone = self.endpoints.pop(name, None)
            return ("204 No Content", None) if gone else ("404 Not Found", {"status_code": 404})
        return "200 OK", {"endpoints": list(self.endpoints.values())}

    def publish(self, data: dict[str, Any]) -> tuple[str, object]:
        if unknown := data.keys() - ENDPOINT_KEYS:
            return "400 Bad Request", {"status_code": 400, "msg": f"unknown fields {sorted(unknown)}"}
        domain = urlsplit(data.get("url", "")).hostname or "stand-in.localhost"
        url = self.settings.get("url", "http://{domain}:{port}").format(domain=domain, port=self.port)
        if self.settings.get("error") == 334:
            err = words(334, url=url)
            details = {"error_code": 103, "status_code": 400, "msg": "failed to start tunnel", "details": {"err": err}}
            return "400 Bad Request", details
        endpoint = {
            "name": data["name"],
            "url": url,
            "upstream": data["upstream"],
            "uri": f"/api/endpoints/{data['name']}",
        }
        self.endpoints[data["name"]] = endpoint
        log("info", "started tunnel", obj="tunnels", name=data["name"], addr=data["upstream"]["url"], url=url)
        return "201 Created", endpoint

    # Its internet

    async def visited(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.lead(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if not self.endpoints:
            self.fail(writer, "404 Not Found", 3200)
            return
        upstream = urlsplit(list(self.endpoints.values())[-1]["upstream"]["url"])
        try:
            far_reader, far_writer = await asyncio.open_connection(upstream.hostname, upstream.port)
        except OSError as error:
            log("warn", "failed to open private leg", privaddr=upstream.netloc, err=str(error))
            self.fail(writer, "502 Bad Gateway", 8012)
            return
        log("info", "join connections", obj="join", l=upstream.netloc, r="203.0.113.9:4711")
        host = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"host:"))[5:].strip()
        forwarded = b"X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: " + host
        far_writer.write(head[:-2] + forwarded + b"\r\n\r\n")
        await asyncio.gather(relay(reader, far_writer), relay(far_reader, writer))

    def fail(self, writer: asyncio.StreamWriter, status: str, code: int) -> None:
        body = f"<html>ERR_NGROK_{code}</html>".encode()
        head = f"HTTP/1.1 {status}\r\nNgrok-Error-Code: ERR_NGROK_{code}\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def main() -> None:
    settings = json.loads(Path(sys.argv[1]).read_text())
    assert sys.argv[2:6] == ["start", "--none", "--log", "stdout"] and sys.argv[6] == "--config", sys.argv
    config = yaml.safe_load(Path(sys.argv[7]).read_text())
    if unknown := config["agent"].keys() - AGENT_KEYS or config.keys() - {"version", "agent"}:
        sys.exit(f"ERROR: unknown fields {sorted(unknown)}")
    if settings.get("silent"):
        while True:
            sys.stdin.read()
            asyncio.run(asyncio.sleep(3600))
    asyncio.run(Agent(settings, config).run())


if __name__ == "__main__":
    main()
