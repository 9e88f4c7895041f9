"""ACME (RFC 8555): a certificate from Let's Encrypt or any other directory, in memory until it is whole and checked.

On the libraries `acme` and `josepy`, which block: each exchange runs in a thread, the waiting between them does not,
so a cancelled order stops at once and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from jupytui.certs import check, pem
from jupytui.certs.acme_account import Service, connect
from jupytui.certs.acme_call import call, refused
from jupytui.certs.authority import load_key
from jupytui.certs.challenge import Challenge, ChallengeFailed, Solver
from jupytui.certs.leaf import alternative_names, as_address, normal_names
from jupytui.certs.models import CertificateError, Pair
from jupytui.secret import Secret

if TYPE_CHECKING:
    from acme.client import ClientV2
    from acme.messages import AuthorizationResource, ChallengeBody, OrderResource

DEADLINE = 180.0  # seconds for the authority to look, and again for it to sign


async def obtain(
    service: Service, directory: Path, names: Sequence[str], solver: Solver, *, key: Secret | None = None
) -> Pair:
    """Return a new certificate for `names` and `key` (a new one by default); proven, signed and checked.

    `directory` is where the account's key is kept, 0600. Raises CertificateError (and its AcmeError), ChallengeFailed,
    HostTrouble; nothing is installed by this, whatever happens.
    """
    wanted = normal_names(names)
    if wild := [name for name in wanted if name.startswith("*.") and solver.kind != "dns-01"]:
        raise CertificateError(f"{wild[0]} can only be proven by DNS.", "Choose dns-01.")
    key = key or pem.new_key()
    client = await connect(service, directory)
    order = await call(client.new_order, _request(wanted, key), service.profile)
    for authorization in order.authorizations:
        await _prove(client, authorization, solver)
    return check.accept(await _signed(client, order), key.reveal().encode(), names=wanted)


def _request(names: Sequence[str], key: Secret) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = load_key(key)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    signed = builder.add_extension(alternative_names(names), critical=True).sign(private, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


async def _prove(client: ClientV2, authorization: AuthorizationResource, solver: Solver) -> None:
    """Show the authority that a name is ours; one that it still remembers as proven is left alone."""
    from acme import messages

    if authorization.body.status == messages.STATUS_VALID:
        return
    body, challenge = _challenge(client, authorization, solver.kind)
    async with solver.answering(challenge):
        await call(client.answer_challenge, body, body.response(client.net.key))
        await _judged(client, authorization, challenge.name, solver.kind)


def _challenge(client: ClientV2, authorization: AuthorizationResource, kind: str) -> tuple[ChallengeBody, Challenge]:
    from acme import challenges

    name = authorization.body.identifier.value
    for body in authorization.body.challenges:
        if body.chall.typ == kind and isinstance(body.chall, challenges.HTTP01 | challenges.DNS01):
            answer = body.chall.key_authorization(client.net.key)
            value = challenges.DNS01(token=body.chall.token).validation(client.net.key)
            return body, Challenge(name, body.chall.encode("token"), answer, value)
    hint = "An address cannot be proven by DNS." if as_address(name) else "Choose the other way."
    raise CertificateError(f"The authority does not prove {name} by {kind}.", hint)


async def _judged(client: ClientV2, authorization: AuthorizationResource, name: str, kind: str) -> None:
    from acme import messages

    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        seen, response = await call(client.poll, authorization)
        if seen.body.status == messages.STATUS_VALID:
            return
        if seen.body.status not in {messages.STATUS_PENDING, messages.STATUS_PROCESSING}:
            errors = [body.error for body in seen.body.challenges if body.error]
            raise rejected(name, kind, str(errors[0].detail or "") if errors else "")
        again = client.retry_after(response, 1)
        await asyncio.sleep(min(5.0, max(0.2, (again - datetime.now(again.tzinfo)).total_seconds())))
    raise ChallengeFailed(f"The authority did not look at {name} within {DEADLINE:.0f} s.", "Try it again later.")


def rejected(name: str, kind: str, said: str) -> ChallengeFailed:
    """Return what to raise when the authority looked and was not satisfied; `said` are its words."""
    from jupytui.text import clean_line

    hint = {
        "http-01": f"Does {name} lead to this host, and is port 80 open from the internet (firewall, router)?",
        "dns-01": f"Is the record _acme-challenge.{name.removeprefix('*.')} set at all its name servers?",
    }.get(kind, "")
    words = clean_line(said, 300)
    return ChallengeFailed(f"The authority looked for {name} and was not satisfied: {words or kind}.", hint)


async def _signed(client: ClientV2, order: OrderResource) -> bytes:
    from acme import errors

    order = await call(client.begin_finalization, order)
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        try:
            # It sleeps in its thread, so it is asked in short turns: nobody who leaves waits long for it.
            deadline = datetime.now(UTC).astimezone().replace(tzinfo=None)
            done = await call(client.poll_finalization, order, _in(deadline, 3))
        except errors.TimeoutError:
            continue
        except errors.IssuanceError as error:
            raise refused(error.error) from None
        return str(done.fullchain_pem).encode()
    raise CertificateError(f"The authority did not sign within {DEADLINE:.0f} s.", "Try it again later.")


def _in(moment: datetime, seconds: float) -> datetime:
    from datetime import timedelta

    return moment + timedelta(seconds=seconds)
