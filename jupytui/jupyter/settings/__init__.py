"""What configuration Jupyter on a host really applies, where each value comes from, and edits that can be undone.

For whoever builds on it:

- `Whose(app, pid=…)` is a running server; `Whose(app, python=…, cwd=…, options=…)` one to be.
- `found = await look(host, whose)`: directories, files and options, in one round trip of 0.1 s (`discover`).
- `answer = await ask(host, whose)`: what Jupyter itself makes of it, 1-2 s; `answer.value("ServerApp.port")` is
  applied, `answer.configured(…)` is what was written, `answer.said` what it complains about, `answer.traits` (with
  `traits=True`) types, defaults and help. Nothing is started, bound or written.
- `found = answer.corrected(found)`: which files fail when they are run, only Jupyter knows (it goes on without them).
- `settings = answer.knowledge.resolve(found)`: each `Setting` with its winner and losers (`Entry`: file, line, value);
  without an answer `Knowledge().resolve(found)` does, by the rules of today's Jupyter.
- `edit = plan(found, {"ServerApp.ip": "0.0.0.0", "ServerApp.port": REMOVE}, answer.knowledge)` chooses the files in
  which it wins (secrets as `Secret`); `diff(edit)` shows it, secrets masked; `edit.notes` are to be read before.
- `done = await commit(host, whose, found.python, edit)` writes all files or none; Jupyter proves it, or it is taken
  back (NotConfirmed). `apply(host, found.python, done.undo, backups=False)` brings back every byte. Refusals are
  CannotEdit, with the file and line in the way. A running server applies it after a restart.
- `last_edit.remember(…)` keeps what was done on the host; `recall` and `recall_for` return what takes it back.
- `door(found, settings)`: which password and token count; `findings(…)`: what is wrong; `migrate(found, knowledge)`,
  `switched(found, package, on=…)`, `PRESETS[n].wishes({…})` and `traits_of(answer.traits)` are what their names say.
"""
