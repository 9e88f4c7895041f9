# Build or change the environment in prefix $5 by the commands $6, $7 …, each a line of sh, so that it is wholly done or
# as it was before, whatever happens to us (see guard.sh, whose source is $2).
# $1 marks our own lines on stdout; $3 seconds after which silence on stdin means that nobody is there any more;
# $4 is `new` (made in place, because an environment knows its own path), `upgrade`, or `clear`: undo an earlier attempt
# and do no more.
nonce=$1 guard=$2 silence=$3 wanted=$4 prefix=$5
shift 5
unset LC_ALL LANGUAGE PYTHONPATH PYTHONHOME VIRTUAL_ENV CONDA_PREFIX PIP_TARGET PIP_PREFIX
export LC_MESSAGES=C NO_COLOR=1 PYTHONUNBUFFERED=1 PIP_USER=0 PIP_NO_INPUT=1 PIP_PROGRESS_BAR=off \
  PIP_DISABLE_PIP_VERSION_CHECK=1 UV_NO_PROGRESS=1 CONDA_ALWAYS_YES=1 MAMBA_NO_BANNER=1

say() { printf '\036%s %s\n' "$nonce" "$*"; }
refuse() { say refused "$@"; return 1; }

# Run apart from our process group: it outlives whoever ends that group.
apart() {
  if command -v setsid >/dev/null 2>&1; then exec setsid "$@"
  elif command -v perl >/dev/null 2>&1; then exec perl -MPOSIX -e 'setsid; exec @ARGV' "$@"
  else exec "$@"; fi
}
undone() { echo "owner $owner" | sh -c "$guard" guard "$prefix" >/dev/null 2>&1; }

# An earlier attempt that was cut off is undone first; one that is still ending is waited for.
settle() {
  waited=0
  while read_owner "$prefix"; do
    case $whose in
    dead) undone; [ $? -lt 2 ] || refuse stuck || return ;;
    alive) [ "$waited" -lt 50 ] || refuse busy "$pid" || return
           waited=$((waited + 1)); sleep 0.2 ;;
    *) refuse elsewhere "${rest#*:}" || return ;;
    esac
  done
}

empty() {
  for entry in "$1"/* "$1"/.[!.]*; do { [ -e "$entry" ] || [ -h "$entry" ]; } && return 1; done
  return 0
}

parents() {
  directory=$1
  while [ ! -d "$directory" ]; do
    echo "made $directory" >&3
    directory=$(dirname -- "$directory")
  done
}

claim() {
  settle || return
  if [ "$wanted" = new ]; then
    { [ ! -e "$prefix" ] && [ ! -h "$prefix" ]; } || { [ -d "$prefix" ] && empty "$prefix"; } || refuse exists || return
    parents "$prefix"
    mkdir -p -- "$prefix" || return
  else
    [ -d "$prefix" ] || refuse gone || return
  fi
  mine=$(myself "$wanted")
  echo "owner $mine" >&3
  ln -s "$mine" "$prefix/$MARKER"
}

# Hard links take no room and no time, and installers replace files, they do not write into them.
copy() {
  cp -al "$1" "$2" 2>/dev/null && return
  rm -rf "$2"
  cp -cRp "$1" "$2" 2>/dev/null && return
  rm -rf "$2"
  cp -Rp "$1" "$2"
}

keep() {
  [ "$wanted" = upgrade ] || return 0
  part=$prefix/.jupytui-part
  mkdir "$part" "$part/was" "$part/absent" || return
  for name in bin lib lib64 share etc include man doc conda-meta ssl sbin libexec condabin shell var; do
    if [ -e "$prefix/$name" ] || [ -h "$prefix/$name" ]; then copy "$prefix/$name" "$part/was/$name" || return
    else mkdir "$part/absent/$name" || return; fi
  done
  mv "$part" "$prefix/.jupytui-before"
}

packages() {
  for dist in "$prefix"/lib/python3*/site-packages/*-[0-9]*.dist-info; do
    [ -f "$dist/METADATA" ] || continue
    dist=${dist##*/}
    say package "$1" "${dist%.dist-info}"
  done
}

failed() { say failed "$1" "$(df -Pk "$prefix" 2>/dev/null | { read -r _; read -r _ _ _ free _; echo "$free"; })"; }

build() {
  say step 0
  if [ "$wanted" = clear ]; then
    settle && echo done >&3
    return
  fi
  claim || { failed $?; return; }
  packages before
  keep || { failed $?; return; }
  # What a killed installer leaves behind goes with the environment, not to /tmp.
  export TMPDIR="$prefix/.jupytui-temporary"
  mkdir "$TMPDIR" || { failed $?; return; }
  number=0
  for command do
    number=$((number + 1))
    say step "$number"
    sh -c "$command" </dev/null || { failed $?; return; }
  done
  packages after
  echo done >&3
}

# A link can be cut so that no end of it is ever seen here: whoever is still there says so now and then.
listen() {
  trap 'kill "$alarm" 2>/dev/null; exit 0' TERM
  while :; do
    { trap 'kill "$!"; exit 0' TERM; sleep "$silence" & wait "$!"; trap - TERM; kill -TERM 0; } 2>/dev/null &
    alarm=$!
    read -r _ || break
    kill "$alarm"
  done
  wait "$alarm"
}

trap : HUP INT TERM
exec 5<&0
listen <&5 >/dev/null 2>&1 5<&- &
listener=$!
exec 5<&- </dev/null
{
  { trap - HUP INT TERM; build "$@" 3>&1 >&4 2>&1 4>&-; } | {
    exec >/dev/null 2>&1 4>&-
    apart sh -c "$guard" guard "$prefix"
  }
} 4>&1
ended=$?
[ "$ended" -eq 0 ] || packages undone
kill "$listener" 2>/dev/null
say end "$ended"
