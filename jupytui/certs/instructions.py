"""How to make each system trust the user's authority. jupytui touches no trust store itself: the person does it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

NICKNAME = "jupytui"
_NSS = "certutil -d sql:$HOME/.pki/nssdb"


@dataclass(frozen=True, slots=True)
class Instruction:
    """For one `system`: `steps` are commands or sentences to follow, `undo` takes it back."""

    system: str
    steps: tuple[str, ...]
    undo: tuple[str, ...]


def instructions(certificate: Path) -> tuple[Instruction, ...]:
    """Return what to do on each kind of system with the exported `certificate` (PEM, .crt), as copied there."""
    file = shlex.quote(str(certificate))
    return (
        Instruction(
            "Debian, Ubuntu",
            (f"sudo cp {file} /usr/local/share/ca-certificates/jupytui.crt", "sudo update-ca-certificates"),
            ("sudo rm /usr/local/share/ca-certificates/jupytui.crt", "sudo update-ca-certificates --fresh"),
        ),
        Instruction(
            "Fedora, Red Hat, Arch, openSUSE",
            (f"sudo trust anchor --store {file}",),
            (f"sudo trust anchor --remove {file}",),
        ),
        Instruction(
            "macOS",
            (f"security add-trusted-cert -p ssl -k ~/Library/Keychains/login.keychain-db {file}",),
            (f"security remove-trusted-cert {file}",),
        ),
        Instruction(
            "Windows",
            (f"certutil -user -addstore Root {file}",),
            ("certmgr.msc: Trusted Root Certification Authorities, delete “jupytui authority of …”",),
        ),
        Instruction(
            "Chromium, Chrome on Linux (a store of its own; certutil is in libnss3-tools)",
            (
                f"mkdir -p ~/.pki/nssdb; {_NSS} -L >/dev/null 2>&1 || {_NSS} -N --empty-password",
                f"{_NSS} -A -t C,, -n {NICKNAME} -i {file}",
            ),
            (f"{_NSS} -D -n {NICKNAME}",),
        ),
        Instruction(
            "Firefox",
            (
                "Settings, Privacy & Security, View Certificates, Authorities, Import:"
                f" {certificate.name}, “Trust this CA to identify websites”",
            ),
            ("The same list, Delete or Distrust",),
        ),
        Instruction(
            "iPhone, iPad",
            (
                f"Send {certificate.name} to it, open it, Settings: Profile Downloaded, Install",
                "Settings, General, About, Certificate Trust Settings: switch it on",
            ),
            ("Settings, General, VPN & Device Management: remove the profile",),
        ),
        Instruction(
            "Android",
            ("Settings, Security, Encryption & credentials, Install a certificate, CA certificate",),
            ("Settings, Security, Trusted credentials, User: remove it",),
        ),
        Instruction(
            "curl, Python, git in one shell",
            (f"export SSL_CERT_FILE={file} REQUESTS_CA_BUNDLE={file} CURL_CA_BUNDLE={file} GIT_SSL_CAINFO={file}",),
            ("unset SSL_CERT_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE GIT_SSL_CAINFO",),
        ),
    )
