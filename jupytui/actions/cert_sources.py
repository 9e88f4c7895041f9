"""Where a certificate comes from: the user's own authority, a pair that exists, or an ACME directory."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jupytui import figures
from jupytui.actions.base import Answers, Confirmation, Context, Field, Form, Refused
from jupytui.actions.cert_install import Spot
from jupytui.certs.models import CertificateError, Pair
from jupytui.errors import WrongAnswer
from jupytui.fleet.subject import Subject
from jupytui.hosts.base import Host, SecretKind, SecretPrompt
from jupytui.secret import Secret

if TYPE_CHECKING:
    from jupytui.certs.acme_account import Service
    from jupytui.certs.challenge import Solver
    from jupytui.certs.check import Verdict
    from jupytui.certs.dns01 import Record, Show
    from jupytui.certs.records import Acme

HERE = "this machine"
MAX_FILE = 2**20
PRODUCTION = "Let's Encrypt"
STAGING = "Let's Encrypt staging, to try it out"
OTHER = "another, by its URL"
WEBROOT = "a file of a web server (http-01)"
RESPONDER = "the host's port 80, by sudo (http-01)"
DNS = "a DNS record that I set (dns-01)"

_NAMES = "hostname -f 2>/dev/null; hostname 2>/dev/null || uname -n"


def split(text: str) -> list[str]:
    """Return what is listed, by blanks or commas."""
    return [part for part in re.split(r"[\s,]+", text) if part]


def check_names(text: str) -> str | None:
    """Return what is wrong with names as they are typed."""
    from jupytui.certs.leaf import normal_names

    try:
        normal_names(split(text))
    except CertificateError as error:
        return error.message
    return None


def _given(text: str) -> str | None:
    return None if text.strip() else "It is needed."


async def names_of(context: Context, subject: Subject, permitted: Sequence[str] = ()) -> list[str]:
    """Return every name and address the host is reached by, within what an authority may vouch for."""
    from jupytui.certs.leaf import within
    from jupytui.reachability.lan import addresses

    host, view = context.fleet.host(subject.host or ""), subject.host_in(context.fleet.store)
    said = (await host.run(_NAMES)).stdout.decode("utf-8", "replace").split()
    dialled = re.sub(r":\d+$", "", view.address.rpartition("@")[2]).strip("[]")
    found = [*said, *([dialled] if dialled != "local" else []), *await addresses(host)]
    names = [name for name in (*found, "localhost", "127.0.0.1", "::1") if check_names(name) is None]
    fitting = [name for name in names if not permitted or any(within(name.lower(), limit) for limit in permitted)]
    return list(dict.fromkeys(fitting))


# By the user's own authority


async def issue_form(context: Context, subjects: Sequence[Subject]) -> Form:
    """Ask for the names."""
    from jupytui.certs import authority, private

    ours = await asyncio.to_thread(authority.load, private.default_directory())
    names = await names_of(context, subjects[0], ours.permitted if ours else ())
    help_ = "what it is opened by" if ours else "what it is opened by; your own authority is made first"
    field = Field("names", "Names and addresses", " ".join(names), help_, check=check_names)
    return Form(f"Issue a certificate for {subjects[0].server}", (field,), submit="Issue")


def issue(names: Sequence[str], key: Secret | None) -> Pair:
    """Return a pair signed by the user's authority, which is made the first time. Raises CertificateError."""
    from jupytui.certs import authority, leaf, private

    return leaf.issue(authority.load_or_make(private.default_directory()), names, key=key)


# A pair that exists


async def import_form(_context: Context, subjects: Sequence[Subject]) -> Form:
    """Ask where it is."""
    places = (HERE, subjects[0].host or "")
    fields = (
        Field("where", "The files are on", HERE, choices=tuple(dict.fromkeys(places))),
        Field("cert", "Certificate", "", "its file, with the chain (fullchain.pem)", check=_given),
        Field("key", "Private key", "", "its file; empty: it is in the certificate's"),
    )
    return Form(f"Import a certificate for {subjects[0].server}", fields, submit="Check")


async def imported(context: Context, spot: Spot, answers: Answers) -> Pair | None:
    """Return the pair if it is fit to be served; None where the person, told what is odd, left it.

    Raises CertificateError with the sentence of every fault, WrongAnswer for a file that cannot be read.
    """
    from jupytui.certs.check import check

    host = None if answers.get("where", HERE) == HERE else spot.host
    texts = [await _read(host, name, answers.get(name, "").strip()) for name in ("cert", "key")]
    verdict = await asyncio.to_thread(check, *texts)
    if verdict.pair is None and b"ENCRYPTED" in b"".join(texts) and "passphrase" in verdict.faults[0].message:
        prompt = SecretPrompt(spot.host.name, SecretKind.PASSPHRASE, "The key's own passphrase")
        if passphrase := await spot.prompter.secret(prompt):
            verdict = await asyncio.to_thread(lambda: check(*texts, passphrase=passphrase))
    return await _accepted(context, spot, verdict)


async def _read(host: Host | None, field: str, path: str) -> bytes:
    if not path:
        return b""
    try:
        if host:
            return await host.read(path, MAX_FILE)
        return await asyncio.to_thread(_read_here, path)
    except OSError as error:
        raise WrongAnswer(f"{path} cannot be read: {error.strerror or 'it is not there'}.", field=field) from None


def _read_here(path: str) -> bytes:
    with Path(path).expanduser().open("rb") as file:
        return file.read(MAX_FILE)


async def _accepted(context: Context, spot: Spot, verdict: Verdict) -> Pair | None:
    if fatal := verdict.fatal:
        said = " ".join(fault.message for fault in fatal)
        raise CertificateError(f"It is refused, and nothing was changed: {said}", " ".join(f.fix for f in fatal))
    assert verdict.pair
    leaf, notes = verdict.pair.leaf, [f"{fault.message} {fault.fix}".strip() for fault in verdict.faults]
    told = f"For {', '.join(leaf.names)}; {leaf.key_type}; {figures.left(leaf.days_left())} left; by {leaf.issuer}."
    question = Confirmation(f"Install it for {spot.server.id}", (), told, notes=tuple(notes))
    return verdict.pair if await context.front.confirm(question) else None


# By ACME


async def acme_form(context: Context, subjects: Sequence[Subject]) -> Form:
    """Ask for all an ACME directory wants to know."""
    names = await names_of(context, subjects[0])
    public = [name for name in names if "." in name and not re.fullmatch(r"[\d.:a-f]+|.*\.(local|lan|internal)", name)]
    fields = (
        Field("service", "Authority", PRODUCTION, choices=(PRODUCTION, STAGING, OTHER)),
        Field("url", "URL of its directory", "", "of another one only", check=_url),
        Field("email", "Email", "", "where it may write to you; may stay empty"),
        Field("names", "Names", " ".join(public[:1]), "as they are in the DNS", check=check_names),
        Field("way", "Prove that they are yours by", WEBROOT, choices=(WEBROOT, RESPONDER, DNS)),
        Field("webroot", "The web server's directory", "/var/www/html", f"on {subjects[0].host}; for http-01 by file"),
    )
    return Form(f"A certificate by ACME for {subjects[0].server}", fields, submit="Order")


def _url(text: str) -> str | None:
    return None if not text.strip() or text.strip().startswith("https://") else "It begins with https://."


async def by_acme(context: Context, spot: Spot, answers: Answers, key: Secret | None) -> tuple[Pair, Acme]:
    """Return the pair and how it was got. Raises TermsNotAgreed, JupytuiError."""
    from dataclasses import replace

    from jupytui.certs.acme import obtain
    from jupytui.certs.acme_account import Service, TermsNotAgreed
    from jupytui.certs.private import default_directory
    from jupytui.certs.records import Acme

    url, names = directory_url(answers), split(answers["names"])
    service = Service(url, bool(answers.get("agreed")), answers.get("email", "").strip(), answers.get("ca") or None)
    solver = _solver(context, spot, answers)
    webroot = answers["webroot"].strip() if answers["way"] == WEBROOT else None
    way = Acme(url, solver.kind, webroot, service.ca_file)

    async def ordered(service: Service) -> Pair:
        context.progress("ordering")
        return await obtain(service, default_directory(), names, solver, key=key)

    try:
        return await ordered(service), way
    except TermsNotAgreed as terms:
        if "agreed" in answers or not await _agrees(context, terms.url):
            raise
        return await ordered(replace(service, agreed=True)), way


def directory_url(answers: Answers) -> str:
    """Return the directory that was chosen. Raises WrongAnswer where another one is meant and not said."""
    from jupytui.certs.acme_account import LETS_ENCRYPT, LETS_ENCRYPT_STAGING

    known = {PRODUCTION: LETS_ENCRYPT, STAGING: LETS_ENCRYPT_STAGING}
    url = known.get(answers["service"]) or answers["url"].strip()
    if not url:
        raise WrongAnswer("Say which one, by the URL of its directory.", field="url")
    return url


async def _agrees(context: Context, url: str) -> bool:
    question = Confirmation(
        "Agree to the authority's terms", (), url, notes=("An account is made with a key of ours.",)
    )
    return await context.front.confirm(question)


def _solver(context: Context, spot: Spot, answers: Answers) -> Solver:
    from jupytui.certs.dns01 import Dns
    from jupytui.certs.http01 import Responder, Webroot

    port = int(answers.get("port") or 80)
    if answers["way"] == WEBROOT:
        return Webroot(spot.host, answers["webroot"].strip(), port=port)
    if answers["way"] == RESPONDER:
        return Responder(spot.host, spot.prompter, port)
    return Dns(showing(context), servers=split(answers.get("dns_servers", "")))


def showing(context: Context) -> Show:
    """Return what shows a DNS record to the person, and copies its value; awaited then, until they stop it."""

    async def show(record: Record) -> None:
        copied = await context.front.copy(record.value)
        notes = ("It is looked for at the zone's own name servers until it is there.", copied)
        line = f"{record.name}  TXT  {record.value}"
        question = Confirmation("Set this DNS record", (), line, notes=tuple(filter(None, notes)))
        if not await context.front.confirm(question):
            raise Refused("Left: no certificate was ordered to its end, and nothing was changed.")
        context.progress("waiting for the DNS record")

    return show
