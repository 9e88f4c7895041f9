# Every Python of this machine that has, or could have, Jupyter, as tab-separated lines; see find.py for their meaning.
# No Python is started: everything is read off names of files and a few lines of text, so that a hundred environments
# cost tens of milliseconds, and a wrapper that stops for a question (macOS' /usr/bin/python3) is never run.
# $1: seconds it may take; the rest: prefixes or Pythons to look at wherever they lie, pid:NUMBER what a process runs from.
tab=$(printf '\t') nl='
'
end=$(($(date +%s) + $1)) seen=$nl looked=0 specs=0
shift

late() {
  looked=$((looked + 1))
  [ $((looked % 16)) -eq 0 ] && [ "$(date +%s)" -ge "$end" ] && finish truncated
  [ "$looked" -gt 4000 ] && finish truncated
  return 0
}
finish() { echo "$1"; exit 0; }
line() { printf "%s$tab%s\n" "$1" "$2"; }
has() { [ -e "$1" ] || [ -h "$1" ]; }

# Whether $1 is new and can stand on one line; remembers it.
fresh() {
  case $1 in *"$tab"* | *"$nl"*) return 1 ;; esac
  case $seen in *"$nl$1$nl"*) return 1 ;; esac
  seen=$seen$1$nl
}

# The packages in one site directory: NAME-VERSION.dist-info (with its METADATA: a killed removal leaves the directory).
packages() {
  [ -d "$1" ] || return 0
  [ -w "$1" ] && line flag writable
  [ -d "$1/pip" ] && line flag pip
  for name in jupyter_server jupyterlab notebook ipykernel; do
    for dist in "$1/$name"-[0-9]*.dist-info "$1/$name"-[0-9]*.egg-info; do
      [ -f "$dist/METADATA" ] || [ -f "$dist/PKG-INFO" ] || [ -f "$dist" ] || continue
      dist=${dist##*/"$name"-}
      dist=${dist%.dist-info}
      dist=${dist%.egg-info}
      printf "dist$tab%s$tab%s\n" "$name" "${dist%%-py[0-9]*}"
    done
  done
}

# The standard library in directory $1, of version $2.
library() {
  [ -d "$1" ] || return 0
  line library "$2"
  [ -e "$1/EXTERNALLY-MANAGED" ] && line flag externally-managed
  [ -f "$1/venv/__init__.py" ] && line flag venv
  [ -f "$1/ensurepip/__init__.py" ] && line flag ensurepip
}

kernels() {
  for spec in "$1"/*/kernel.json; do
    [ -f "$spec" ] && [ -r "$spec" ] && [ "$specs" -lt 200 ] || continue
    case $spec in *"$tab"* | *"$nl"*) continue ;; esac
    specs=$((specs + 1)) text= lines=0
    while IFS= read -r row || [ -n "$row" ]; do
      text="$text $row" lines=$((lines + 1))
      [ "$lines" -lt 100 ] || break
    done <"$spec"
    printf "spec$tab%s$tab%s\n" "${spec%/kernel.json}" "$text" | tr '\r' ' '
  done
}

configuration() {
  while IFS='=' read -r key value || [ -n "$key" ]; do
    key=${key%% *}
    case $key in
    home | version | version_info | include-system-site-packages | uv) printf "cfg$tab%s$tab%s\n" "$key" "${value# }" ;;
    esac
  done <"$1"
}

# An environment that stands by itself: a venv, a conda environment, or a whole Python under a prefix of its own.
environment() {
  [ -d "$1" ] || return 0
  late
  cd -P -- "$1" 2>/dev/null || return 0
  prefix=$PWD
  has "$prefix/pyvenv.cfg" || [ -d "$prefix/conda-meta" ] || has "$prefix/$MARKER" || whole "$prefix" || return 0
  case $prefix in / | /usr | /usr/local) return 0 ;; esac
  fresh "$prefix" || return 0
  line env "$prefix"
  if read_owner "$prefix"; then printf "incomplete$tab%s$tab%s\n" "$kind" "$whose"; fi
  for python in "$prefix/bin/python" "$prefix/bin/python3"; do
    if has "$python"; then
      line python "$python"
      [ -x "$python" ] || line flag broken
      break
    fi
  done
  [ -r "$prefix/pyvenv.cfg" ] && configuration "$prefix/pyvenv.cfg"
  if [ -d "$prefix/conda-meta" ]; then
    line flag conda
    for record in "$prefix"/conda-meta/python-[23].*.json; do [ -f "$record" ] && line conda "${record##*/}"; done
  fi
  for lib in "$prefix"/lib/python[23].*; do
    [ -d "$lib" ] && [ ! -h "$lib" ] || continue # conda has lib/python3.1 -> python3.11
    library "$lib" "${lib##*/python}"
    packages "$lib/site-packages"
  done
  kernels "$prefix/share/jupyter/kernels"
}

whole() {
  for lib in "$1"/lib/python3.*/os.py; do
    [ -f "$lib" ] && { has "$1/bin/python" || has "$1/bin/python3"; } && return 0
  done
  return 1
}

# A Python among other programs: $1 its path, `pythonX.Y`. What it imports is spread over several directories.
system_python() {
  [ -x "$1" ] || return 0
  late
  real=$1
  [ -h "$1" ] && real=$(readlink -f "$1" 2>/dev/null || echo "$1")
  case $real in */shims/* | */bin/python[23].*) ;; *) real=$1 ;; esac
  prefix=${real%/bin/*} version=${1##*/python}
  case $prefix in /usr | /usr/local | */Frameworks/* | */Cellar/*) ;; *) environment "$prefix"; return 0 ;; esac
  fresh "$real" || return 0
  line env "$prefix"
  line flag system
  line python "$1"
  library "$prefix/lib/python$version" "$version"
  library "$prefix/lib64/python$version" "$version"
  for site in "$prefix/lib" "$prefix/lib64" /usr/local/lib /usr/local/lib64 "$HOME/.local/lib"; do
    packages "$site/python$version/site-packages"
    packages "$site/python$version/dist-packages"
  done
  packages "$prefix/lib/python3/dist-packages"
}

# Installers; an SSH command's PATH has few of the places where people have them.
tool() {
  name=$1
  shift
  found=$(command -v "$name" 2>/dev/null)
  case $found in */shims/*) found= ;; /*) set -- "$found" "$@" ;; esac
  for place; do
    [ -x "$place" ] && [ ! -d "$place" ] && { printf "tool$tab%s$tab%s\n" "$name" "$place"; return 0; }
  done
}

tools() {
  tool uv "$HOME/.local/bin/uv" "$HOME/.cargo/bin/uv" /opt/homebrew/bin/uv /usr/local/bin/uv
  for name in mamba micromamba conda; do
    tool "$name" "${MAMBA_EXE:-}" "$HOME/.local/bin/$name" "$HOME"/*/condabin/"$name" "$HOME"/*/bin/"$name" \
      "$HOME/bin/$name" /opt/*/condabin/"$name" /opt/*/bin/"$name" /opt/homebrew/bin/"$name" /usr/local/bin/"$name"
  done
}

configured() {
  for file in "${PIP_CONFIG_FILE:-}" "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf" "$HOME/.pip/pip.conf" /etc/pip.conf \
    "$HOME/Library/Application Support/pip/pip.conf"; do
    [ -s "$file" ] && line configured pip
  done
  for file in "${UV_CONFIG_FILE:-}" "${XDG_CONFIG_HOME:-$HOME/.config}/uv/uv.toml" /etc/uv/uv.toml; do
    [ -s "$file" ] && line configured uv
  done
}

machine() {
  line home "$HOME"
  line system "$(uname -s)"
  [ -r /etc/os-release ] && (. /etc/os-release && line os "${ID:-} ${ID_LIKE:-}")
  line free "$(df -Pk "$HOME" 2>/dev/null | { read -r _; read -r _ _ _ free _; echo "$free"; })"
}

in_use() {
  for known; do
    case $known in
    pid:*) running "${known#pid:}" ;;
    */bin/python*) environment "${known%/bin/*}" ;;
    *) environment "$known" ;;
    esac
  done
}

# What the process $1 runs from, as its command line names it: behind a venv's Python is the system's.
running() {
  program=$({ tr '\0' '\n' <"/proc/$1/cmdline" || ps -o command= -p "$1" | tr ' ' '\n'; } 2>/dev/null |
    sed -n -e 3q -e '/^\/.*\/bin\/[^/]*$/{p;q;}')
  case ${program%/bin/*} in
  '') ;;
  /usr | /usr/local) system_python "$(readlink -f "/proc/$1/exe" 2>/dev/null)" ;;
  *) environment "${program%/bin/*}" ;;
  esac
}

listed_by_conda() {
  [ -r "$HOME/.conda/environments.txt" ] || return 0
  while IFS= read -r known; do environment "$known"; done <"$HOME/.conda/environments.txt"
}

# Children of a directory that are environments, and the environments of a conda that is one of them.
below() {
  for child in "$1"/*; do
    environment "$child"
    for inner in "$child"/envs/*; do environment "$inner"; done
  done
}

at_home() {
  data=${XDG_DATA_HOME:-$HOME/.local/share}
  for place in "$HOME"/.venv* "$HOME/.conda" "$HOME/.micromamba"; do environment "$place"; done
  for place in "$HOME/.venvs" "$HOME/.virtualenvs" "${WORKON_HOME:-}" "$data/virtualenvs" "$data/pipx/venvs" \
    "$HOME/.local/pipx/venvs" "$data/uv/tools" "$data/uv/python" "${PYENV_ROOT:-$HOME/.pyenv}/versions" \
    "${XDG_CACHE_HOME:-$HOME/.cache}/pypoetry/virtualenvs" "$HOME/Library/Caches/pypoetry/virtualenvs" "$HOME/.conda/envs" \
    "$data/mamba/envs" "${MAMBA_ROOT_PREFIX:-}/envs" "$HOME/.asdf/installs/python" "$data/mise/installs/python" "$HOME"; do
    [ -d "$place" ] && below "$place"
  done
  for project in "$HOME"/*; do
    late
    for place in "$project/.venv" "$project"/*/.venv; do environment "$place"; done
    for mark in "$project"/*/pyvenv.cfg "$project"/*/conda-meta "$project"/*/"$MARKER"; do
      if has "$mark"; then environment "${mark%/*}"; fi
    done
  done
}

system_wide() {
  for place in "$(command -v python3 2>/dev/null)" /usr/bin/python3 /usr/local/bin/python3 /opt/homebrew/bin/python3; do
    [ -h "$place" ] && place=$(readlink -f "$place" 2>/dev/null)
    case $place in */bin/python3.*) system_python "$place" ;; esac
  done
  for place in /usr/bin /usr/local/bin /opt/homebrew/bin /Library/Frameworks/Python.framework/Versions/*/bin; do
    for python in "$place"/python3.[0-9] "$place"/python3.[0-9][0-9]; do system_python "$python"; done
  done
  for place in /opt /srv /usr/local; do below "$place"; done
}

everyones_kernels() {
  line env ""
  IFS=:
  for place in ${JUPYTER_PATH:-}; do kernels "$place/kernels"; done
  unset IFS
  for place in "${JUPYTER_DATA_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/jupyter}" "$HOME/Library/Jupyter" \
    /usr/local/share/jupyter /usr/share/jupyter; do
    kernels "$place/kernels"
  done
}

machine
configured
tools
in_use "$@"
listed_by_conda
everyones_kernels
system_wide
at_home
finish whole
