"""No secret of a log line is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupytui.logs.mask import mask
from jupytui.secret import MASK

TOKEN = "5c1bd12f0e9a4bd7a3b1"


@pytest.mark.parametrize(
    "line",
    [
        f"    http://localhost:8888/lab?token={TOKEN}",
        f"[I 10:11:12.123 NotebookApp] 302 GET /?token={TOKEN} (127.0.0.1) 0.5ms",
        f"302 GET /login?next=%2Flab%3Ftoken%3D{TOKEN} (127.0.0.1)",
        f"302 GET /login?next=%252Flab%253Ftoken%253D{TOKEN}%26a%3D1",
        f"jupyter lab --ServerApp.token='{TOKEN}' --port 8888",
        f"jupyter lab --IdentityProvider.token={TOKEN}",
        f'{{"token": "{TOKEN}", "port": 8888}}',
        f"{{'Authorization': 'token {TOKEN}'}}",
        f"Authorization: Bearer {TOKEN}",
        f"Cookie: username-localhost-8888={TOKEN}; _xsrf={TOKEN}",
        f"POST /login?_xsrf={TOKEN}&password={TOKEN}",
        f"c.ServerApp.password = 'argon2:$argon2id$v=19$m=10240,t=10,p=8${TOKEN}'",
        f"hashed sha1:67c9e60bb8b6:{TOKEN}",
        f"token: {TOKEN}",
    ],
)
def test_the_secret_is_masked_and_its_name_stays(line: str) -> None:
    assert TOKEN not in mask(line)
    assert MASK in mask(line)


@pytest.mark.parametrize(
    "line",
    [
        "[I 2026-11-20 10:11:12.345 ServerApp] 200 GET /api/kernels (alice@127.0.0.1) 1.23ms",
        "Use Control-C to stop this server and shut down all kernels (twice to skip confirmation).",
        "the tokenizer was loaded from /models/tokens",
        "302 GET /?token=[secret] (127.0.0.1)",
        "Password must be changed",
    ],
)
def test_a_line_without_a_secret_is_left_as_it_is(line: str) -> None:
    assert mask(line) == line


@given(st.text(), st.text(alphabet="0123456789abcdefXYZ-_.", min_size=8), st.text())
def test_whatever_is_around_a_token_in_a_url_it_is_masked(before: str, token: str, after: str) -> None:
    masked = mask(f"{before}?token={token}&{after}")
    assert f"token={token}" not in masked


@given(st.text() | st.from_regex(r"(token|password|cookie)[=: ]{1,2}.*"))
def test_masking_twice_changes_nothing(text: str) -> None:
    assert mask(mask(text)) == mask(text)
