"""Start a server and keep it alive, end it, bring it back: each with proof."""
