"""Promises of the questions that wait: they are on the host's row until answered or taken back."""

from __future__ import annotations

import asyncio

from jupytui.fleet.models import HostView
from jupytui.fleet.questions import Questions
from jupytui.fleet.store import Store
from jupytui.hosts.base import HostKey, SecretKind, SecretPrompt, UnknownKey
from jupytui.secret import Secret

CODE = SecretPrompt("h", SecretKind.CODE, "Verification code:")
KEY = UnknownKey("h", "10.0.0.5", HostKey("ED25519", "SHA256:abc"))


def waiting(store: Store) -> str | None:
    view = store.host("h")
    assert view is not None
    return view.waiting


async def test_a_question_waits_on_the_row_until_it_is_answered() -> None:
    store = Store([HostView("h")])
    questions = Questions(store)
    asking = asyncio.create_task(questions.prompter("h").secret(CODE))
    await asyncio.sleep(0)
    assert waiting(store) == "asks for a code"
    question = questions.of("h")
    assert question is not None and question.about is CODE
    question.answer.set_result(Secret("123456"))
    assert await asking == Secret("123456")
    assert waiting(store) is None
    assert "123456" not in repr(question)


async def test_questions_of_one_host_are_shown_one_after_the_other() -> None:
    store = Store([HostView("h")])
    questions = Questions(store)
    trusting = asyncio.create_task(questions.prompter("h").trust(KEY))
    asking = asyncio.create_task(questions.prompter("h").secret(CODE))
    await asyncio.sleep(0)
    assert waiting(store) == "has an unknown key"
    first = questions.of("h")
    assert first is not None
    first.answer.set_result(True)
    assert await trusting
    assert waiting(store) == "asks for a code"
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert (waiting(store), questions.of("h")) == (None, None)


async def test_declining_is_an_answer() -> None:
    questions = Questions(Store([HostView("h")]))
    asking = asyncio.create_task(questions.prompter("h").secret(CODE))
    await asyncio.sleep(0)
    question = questions.of("h")
    assert question is not None
    question.answer.set_result(None)
    assert await asking is None
