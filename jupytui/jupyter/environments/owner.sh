# Who builds an environment: the target of the symlink PREFIX/.jupytui-incomplete, "kind:pid:start:node".
# A symlink is made and replaced atomically, and needs no free block on a full disk.
MARKER=.jupytui-incomplete

# When process $1 started, in whatever unit this system has; a pid alone may be another process by now.
started() {
  if [ -r "/proc/$1/stat" ]; then
    IFS= read -r stat 2>/dev/null <"/proc/$1/stat" || return 0
    stat=${stat##*) }
    set -f
    set -- $stat
    set +f
    echo "${20}"
  else
    ps -o lstart= -p "$1" 2>/dev/null | tr -s ' :' '--'
  fi
}

myself() { echo "$1:$$:$(started "$$"):$(uname -n)"; }

# Read the marker of prefix $1: sets `owner` and `kind`, and `whose` to alive, dead or elsewhere. Fails without one.
read_owner() {
  [ -h "$1/$MARKER" ] || return 1
  owner=$(readlink "$1/$MARKER") || return 1
  kind=${owner%%:*} rest=${owner#*:}
  pid=${rest%%:*} rest=${rest#*:}
  if [ "${rest#*:}" != "$(uname -n)" ]; then whose=elsewhere
  elif [ -n "${rest%%:*}" ] && [ "$(started "$pid")" = "${rest%%:*}" ]; then whose=alive
  else whose=dead
  fi
}
