"""An account with an ACME directory: its key is made once, kept 0600, and used for every order after that."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupytui import __version__
from jupytui.certs import private
from jupytui.certs.acme_call import AcmeError, call
from jupytui.certs.models import CertificateError
from jupytui.secret import Secret

if TYPE_CHECKING:
    from acme.client import ClientNetwork, ClientV2
    from acme.messages import Directory, RegistrationResource
    from josepy.jwk import JWKEC

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
LETS_ENCRYPT_STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory"
_TIMEOUT = 30  # seconds for one exchange


@dataclass(frozen=True, slots=True)
class Service:
    """An ACME directory by its `url`.

    `agreed`: the person has agreed to its terms. `ca_file` holds the roots its own TLS is checked against, where the
    public ones are not enough. `profile` is one the directory offers ("shortlived"). `binding` is (key id, HMAC key)
    for authorities that want an account of theirs.
    """

    url: str = LETS_ENCRYPT
    agreed: bool = False
    email: str = ""
    ca_file: str | None = None
    profile: str | None = None
    binding: tuple[str, Secret] | None = None


class TermsNotAgreed(CertificateError):
    """The directory has terms that nobody has agreed to yet; `url` is where they are."""

    def __init__(self, url: str) -> None:
        super().__init__(f"The authority wants its terms agreed to: {url}", "Agree, and try it again.")
        self.url = url


async def connect(service: Service, directory: Path) -> ClientV2:
    """Return a client that is signed in; the account is made the first time. Raises AcmeError, TermsNotAgreed."""
    from acme.client import ClientV2

    path = directory / "acme" / f"{hashlib.sha256(service.url.encode()).hexdigest()[:16]}.json"
    key = _load_or_make(path)
    network = _network(service, key)
    client = ClientV2(await call(_directory, service.url, network), network)
    try:
        await _sign_in(client, service, only_existing=True)
    except AcmeError as error:
        if error.code != "accountDoesNotExist":
            raise
        await _sign_in(client, service, only_existing=False)
    return client


def _directory(url: str, network: ClientNetwork) -> Directory:
    from acme.client import ClientV2

    return ClientV2.get_directory(url, network)


def _network(service: Service, key: JWKEC) -> ClientNetwork:
    from acme.client import ClientNetwork
    from josepy.jwa import ES256

    network = ClientNetwork(key, alg=ES256, user_agent=f"jupytui/{__version__}", timeout=_TIMEOUT)
    if service.ca_file:
        network.verify_ssl = service.ca_file  # type: ignore[assignment]  # requests takes a file there
    return network


async def _sign_in(client: ClientV2, service: Service, *, only_existing: bool) -> None:
    """Find the key's account, or make it. The address of an account is never stored: its key finds it again."""
    from acme import errors, messages

    if not only_existing and not service.agreed and (terms := _terms(client)):
        raise TermsNotAgreed(terms)
    wanted = messages.NewRegistration.from_data(
        email=service.email or None, external_account_binding=_binding(client, service)
    )
    wanted = wanted.update(**{"only_return_existing" if only_existing else "terms_of_service_agreed": True})
    try:
        await call(client.new_account, wanted)
    except errors.ConflictError as found:
        client.net.account = _known(str(found.location))


def _known(uri: str) -> RegistrationResource:
    from acme import messages

    return messages.RegistrationResource(uri=uri, body=messages.Registration())


def _terms(client: ClientV2) -> str:
    meta = client.directory.meta
    return str(meta.terms_of_service or "") if meta else ""


def _binding(client: ClientV2, service: Service) -> dict[str, Any] | None:
    from acme import messages

    if service.binding is None:
        return None
    name, hmac_key = service.binding
    assert client.net.key
    return messages.ExternalAccountBinding.from_data(
        client.net.key.public_key(), name, hmac_key.reveal(), client.directory
    )


def _load_or_make(path: Path) -> JWKEC:
    from cryptography.hazmat.primitives.asymmetric import ec
    from josepy import errors
    from josepy.jwk import JWKEC

    if found := private.read(path):
        try:
            key = JWKEC.from_json(json.loads(found))
            assert isinstance(key, JWKEC)
        except (ValueError, AssertionError, errors.Error):
            raise CertificateError(
                f"{path} is not an account's key any more.", "Restore it, or move it away."
            ) from None
        return key
    made = JWKEC(key=ec.generate_private_key(ec.SECP256R1()))
    private.write(path, json.dumps(made.to_json()).encode(), was=None)
    return made
