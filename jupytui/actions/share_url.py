"""A public URL made elsewhere: what to do there, Jupyter's side, the proof; and the proof alone, again."""

from __future__ import annotations

from collections.abc import Mapping

from jupytui.actions import share_proof, share_side
from jupytui.actions.base import Answers, Confirmation, Context, Field, Form, Subjects
from jupytui.actions.share_ngrok import status_of
from jupytui.actions.share_proof import Proof, prove_public
from jupytui.actions.share_side import Made
from jupytui.errors import UsageError, WrongAnswer
from jupytui.fleet.subject import Subject
from jupytui.reachability.recipes import KINDS, Recipe, recipe
from jupytui.reachability.target import Target

TITLES = {
    "proxy": "a reverse proxy",
    "ddnsto": "ddnsto on a router",
    "tailscale": "Tailscale",
    "cloudflared": "Cloudflare Tunnel",
}
_KIND = {title: kind for kind, title in TITLES.items()}
assert set(TITLES) == set(KINDS)


def check_url(text: str) -> str | None:
    """Return what is wrong with an address as it is typed."""
    try:
        target = Target.parse(text.strip())
    except UsageError as error:
        return str(error)
    return "That is this machine itself: enter the address that others use." if target.loopback else None


def _ca() -> Field:
    return Field("ca", "Authority", help="PEM file of one that this system does not know; empty: those it knows")


def _target(answers: Answers) -> Target:
    if wrong := check_url(answers.get("url", "")):
        raise WrongAnswer(wrong, field="url")
    return Target.parse(answers["url"].strip())


async def _named(target: Target) -> Target:
    """Return it if its name leads anywhere: what is set up for a slip of the pen stays set up. Raises WrongAnswer."""
    from jupytui.reachability.network import addresses_of

    if target.address or await addresses_of(target.host):
        return target
    hint = "Check the spelling, and that the name's DNS entry exists. Nothing was changed."
    raise WrongAnswer(f"{target.host} has no address, seen from this machine.", hint, field="url")


async def form(_context: Context, subjects: Subjects) -> Form:
    """Ask for the address, and for what leads from there to the server."""
    return Form(
        f"Share {subjects[0].server} at a public URL",
        (
            Field("url", "Address", help="as others will type it: https://lab.example.org/", check=check_url),
            Field("kind", "Made by", TITLES["proxy"], choices=tuple(TITLES.values())),
            _ca(),
        ),
        submit="Share",
    )


async def run(context: Context, subjects: Subjects, answers: Answers) -> str:
    """Set Jupyter's side with consent, and prove the address."""
    subject, target = subjects[0], await _named(_target(answers))
    await share_side.make_sure_it_is_shut(context, subject)
    steps = await _recipe(context, subject, target, answers.get("kind", ""))
    draft = await share_side.draft(context, subject, _wishes(context, subject, target, lan=steps.lan))
    await context.front.tell(steps.title, [f"{number}. {step}" for number, step in enumerate(steps.steps, 1)])
    about = share_proof.about(subject.server_in(context.fleet.store), f"Everybody who can open {target.url}")
    question = Confirmation(f"Share {subject.server} at {target.netloc}", (), "", notes=(about,))
    if not await share_side.agree(context, subject, draft, question, answers):
        return ""
    made = await share_side.make(context, subject, draft, answers) if draft.edit.files else Made.AS_IT_WAS
    proof = await prove_public(context, subject, target.url, answers, made)
    return await _report(context, subject, target.url, proof)


async def _recipe(context: Context, subject: Subject, target: Target, kind: str) -> Recipe:
    from jupytui.reachability.lan import addresses

    server = subject.server_in(context.fleet.store)
    found = await addresses(context.fleet.host(subject.host or ""))
    kind = _KIND.get(kind, kind) or "proxy"
    return recipe(kind, target.netloc, server.port or 0, next(iter(found), ""), tls=server.tls is not None)


def _wishes(context: Context, subject: Subject, target: Target, *, lan: bool) -> Mapping[str, object]:
    server = subject.server_in(context.fleet.store)
    wishes = share_side.public_wishes(server, target)
    return wishes | ({"ServerApp.ip": "0.0.0.0"} if lan and server.bind == "loopback" else {})


async def _report(context: Context, subject: Subject, url: str, proof: Proof) -> str:
    server = subject.server or ""
    await context.front.report(share_proof.result(f"{server} at {Target.parse(url).netloc}", url, server, proof))
    return ""


async def check_form(context: Context, subjects: Subjects) -> Form:
    """Ask which address; the one it is shared at by ngrok is proposed."""
    status = status_of(context, subjects[0])
    url = status.url if status else ""
    return Form(f"Check a URL of {subjects[0].server}", (Field("url", "Address", url, check=check_url), _ca()), "Check")


async def check(context: Context, subjects: Subjects, answers: Answers) -> str:
    """Prove an address again; nothing is changed."""
    subject, url = subjects[0], _target(answers).url
    return await _report(context, subject, url, await prove_public(context, subject, url, answers, mends=False))
