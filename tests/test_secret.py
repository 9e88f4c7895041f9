from __future__ import annotations

import copy
import json
import logging
import pickle
import traceback
from dataclasses import dataclass

import msgspec
import pytest

from jupytui.secret import Secret

WORD = "hunter2-of-the-tests"


@dataclass(frozen=True)
class _Holder:
    secret: Secret


def test_a_secret_is_masked_wherever_python_prints_it(caplog: pytest.LogCaptureFixture) -> None:
    secret = Secret(WORD)
    logging.getLogger("test").warning("%s %r %s", secret, secret, {"k": [secret]})
    shown = f"{secret} {secret!r} {secret:>40} {[secret]} {_Holder(secret)} {caplog.text}"
    assert WORD not in shown


def test_a_traceback_with_locals_does_not_show_it() -> None:
    def fail(secret: Secret) -> None:
        raise ValueError(f"refused: {secret}")

    try:
        fail(Secret(WORD))
    except ValueError as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    assert "secret = Secret" in shown
    assert WORD not in shown


def test_a_secret_is_never_encoded_copied_or_pickled() -> None:
    secret = Secret(WORD)
    for encode in (pickle.dumps, json.dumps, msgspec.json.encode, copy.deepcopy):
        with pytest.raises(TypeError):
            encode(secret)


def test_a_secret_has_no_dictionary_to_look_into() -> None:
    with pytest.raises(TypeError):
        vars(Secret(WORD))


def test_only_reveal_gives_it_away_and_equal_ones_are_equal() -> None:
    assert Secret(WORD).reveal() == WORD
    assert Secret(WORD) == Secret(WORD) != Secret("other")
    assert len({Secret(WORD), Secret(WORD)}) == 1
    assert Secret("ü") == Secret("ü")
    assert Secret(WORD) != WORD
    assert not Secret("")
