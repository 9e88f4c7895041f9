"""Certificates: the user's own authority, ACME, what is served, and swaps without a restart.

For whoever builds on it (`directory` is `private.default_directory()`; cryptography and acme load at the first call, so
call what is not async by `asyncio.to_thread`):

- `whose = Whose(app, pid=…)`; `place = await configure.find_place(host, whose)`: the files, None where TLS is off.
- `sight = await inspect.look(host, access, place)`: `.file`, `.served`, `.matches`, `.trouble`; a `Certificate` has
  `.names`, `.key_type`, `.days_left()`, `.urgency()`; `trust.trusted_by(sight.file, authority)` says who trusts it.
- `ours = authority.load_or_make(directory, permitted)`; `.export(path)`; `instructions.instructions(path)` to trust it.
- A `Pair` comes from `leaf.issue(ours, names)`, from `await acme.obtain(Service(url, agreed=True), directory, names,
  solver)` (solver: `Webroot`, `Responder`, `Dns(show)`) or from `check.accept(pem, key, names=…, passphrase=…)`;
  `check.check` lists every fault. Give `key=(await install.read_pair(host, place)).key` to keep the key.
- `done = await install.install(host, access, place, pair)`: swapped and proven, or rolled back (NotServed);
  `.way` says how.
- TLS off: `place, edit = await configure.turning_on(host, whose, port)`; show `settings.diff`; with consent
  `configure.put(host, place, pair)`, `settings.commit`, restart, then `await install.proven(host, access, pair)`; off
  again: `plan(found, configure.OFF)`.
- Connected as root, files are dealt with as `place.user`: `files.user_of_process(host, pid)`, or of what is recorded
  `files.user_of_path(host, path)`.
- `records.remember(directory, host.name, access, place, leaf=pair.leaf, acme=…)` makes it renewable;
  `renew.renew_due(Means(directory, open_host, prompter, show))` is `jupytui cert renew --due`;
  `timer.schedule(LocalHost(), prompter, argv)`.
"""
