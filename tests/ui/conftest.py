"""Tests count bytes as the most talkative terminal gets them."""

import os

os.environ["TEXTUAL_COLOR_SYSTEM"] = "truecolor"  # read when textual is imported
