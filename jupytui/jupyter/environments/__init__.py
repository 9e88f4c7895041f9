"""Pythons of a host: found, installed into, upgraded. `find` looks, `plan` says what would run, `install` runs it."""
