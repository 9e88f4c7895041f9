"""What is wrong with a server and its host, and what to do about it: rules over facts, each with evidence.

- `facts = await gather(host, view, …)` asks the host once (`gather`); nothing is changed, no activity is counted.
- `diagnose(facts)` runs every rule (`rules`) and returns a `Diagnosis`: findings, the worst first, and verdicts.
- A rule is a function from a `ServerFacts` or `HostFacts` to findings, named in the table `rules.RULES`.
- `repair.prepare(fix, facts)` says what a fix would do, `repair.carry_out(…)` does it.
"""
