"""How servers let people in, and changes of it that end with a proof.

`standing` says what counts now, `plan.prepare` works out a change that can be shown, `carry_out.carry_out` makes it:
it writes, restarts with consent, tries the new way in and the old ones, and restores everything if one step fails.
"""
