# One look at this machine, in framed sections on stdout. POSIX sh: dash, ash, bash, zsh as sh. Sourced once by the
# resident shell of a connection; each look then is one call: jt_look NONCE FLAGS [DIR...].
#
# A section begins with a line "NONCE name [key]"; the nonce is fresh for each look, so nothing a notebook, a process
# or a file is called can forge one. What has not changed since the look before is left out. A warm look on Linux forks
# once (awk): each fork costs about a millisecond on the machine looked at.
# FLAGS: a = forget and tell everything, d = disk too, f = runtime files again, s = listening sockets again.

LC_ALL=C
export LC_ALL
jt_nl='
'

# What is said is kept and written at once: sshd makes a packet of every write. A section whose body somebody else
# writes is opened instead.
jt_section() { jt_text="$jt_text$jt_nl$jt_nonce $*$jt_nl"; }

jt_flush() { printf '%s' "$jt_text" && jt_text=''; }

jt_open() { jt_section "$@" && jt_flush; }

jt_forget() { jt_known=' ' jt_kernels='' jt_apps='' jt_net='' jt_files='' jt_blind=''; }

# Candidates come as N, kernels known from the look before as kN, and all that runs as /proc/N. Whose command line names
# Jupyter or a kernel is a candidate, too: awk sees that itself, unless it reads no further than a NUL (the original
# awk), which its own command line tells. Then it says "blind", and grep, for another millisecond, tells it (`told`).
# Kernels' descendants are told too: a kernel's memory is that of its workers. A kernel whose server has not noticed its
# end is a zombie, and tells its exit status to its own user (proc(5), stat); one that is ending, and has no command line
# any more, is a zombie at the next look. In /proc/net/tcp the listening sockets come first, so the first other line ends
# the reading (a busy web server has thousands of them). To read it at all has Linux walk through the table of all
# connections (0.7 ms each), so that is done only for somebody who may listen.
jt_awk='
function first(path,  line) { line = ""; getline line < path; close(path); return line }
function says(path, what,  line, found) {
  while (!found && (getline line < path) > 0) found = line ~ what
  close(path)
  return found
}
function stat(pid,  path, line, text, name) {
  path = "/proc/" pid "/stat"; text = ""
  while ((getline line < path) > 0) text = text line
  close(path)
  if (text == "") return 0
  name = text; sub(/^[^(]*\(/, "", name); sub(/\)[^)]*$/, "", name); gsub(/[^A-Za-z0-9._-]/, "?", name)
  sub(/^.*\) /, "", text)
  rest[pid] = text; comm[pid] = name; split(text, f, " "); parent[pid] = f[2]
  return 1
}
function tell(pid, mark,  run) {
  split(rest[pid], f, " "); run = first("/proc/" pid "/schedstat"); sub(/ .*/, "", run)
  if (!page) page = page_size()
  printf "%s %s:%s:%s %s %s %.0f %.0f %s\n", mark, pid, f[20], comm[pid], f[2], f[1], f[12] + f[13], f[22] * page,
    (run == "" ? "-" : run)
}
function page_size(  pages, bytes, line, f, size) {
  pages = first("/proc/self/statm") + 0
  while ((getline line < "/proc/self/status") > 0)
    if (line ~ /^VmSize:/) { split(line, f, " "); bytes = f[2] * 1024; break }
  for (size = 1024; size < 65536 && size * pages * 1.5 < bytes; size *= 2) ;
  return size
}
function below(pid,  up, n) {
  for (up = parent[pid]; up > 1 && n < 64; up = parent[up]) { if (up in kernel) return 1; n++ }
  return 0
}
function listening(path,  line, f) {
  if ((getline line < path) > 0)
    while ((getline line < path) > 0) { split(line, f, " "); if (f[4] != "0A") break; print f[2], f[8], f[10] }
  close(path)
}
BEGIN {
  if (!told && !says("/proc/self/cmdline", "[w]hole=")) { print "blind"; exit }
  for (i = 1; i < ARGC; i++) {
    a = ARGV[i]
    if (a ~ /^k/) kernel[substr(a, 2)] = 1
    else if (a ~ /^[0-9]/) wanted[a] = 1
    else { split(a, f, "/"); if (a ~ /cmdline$/) wanted[f[3]] = 1; else all[f[3]] = 1 }
  }
  if (!told) for (pid in all) if (says("/proc/" pid "/cmdline", "[j]upyter|[k]ernel-")) wanted[pid] = 1
  for (pid in wanted) stat(pid)
  if (kernels) for (pid in all) if (!(pid in wanted)) stat(pid)
  for (pid in wanted) if (pid in rest) { tell(pid, "="); some = 1 }
  if (kernels) for (pid in rest) if (!(pid in wanted) && below(pid)) tell(pid, "+")
  for (pid in kernel) if (!(pid in wanted) && (pid in rest)) {
    split(rest[pid], f, " ")
    if (f[1] == "Z") print "-", pid, f[50]
    else if (first("/proc/" pid "/cmdline") == "") print "~", pid
  }
  print "--"
  while ((getline line < "/proc/meminfo") > 0) {
    split(line, f, " "); mem[f[1]] = f[2]
    if (f[1] == "MemAvailable:" || f[1] == "Cached:") break
  }
  if (!("MemAvailable:" in mem)) mem["MemAvailable:"] = mem["MemFree:"] + mem["Buffers:"] + mem["Cached:"]
  print "memory", mem["MemTotal:"], mem["MemAvailable:"]
  while ((getline line < "/proc/vmstat") > 0)
    if (index(line, "oom_kill ") == 1) { print "oom", substr(line, 10); break }
  getline line < "/proc/stat"; print line
  print "--"
  if (some) { listening("/proc/net/tcp"); listening("/proc/net/tcp6") }
  print "--"
  if (!whole) exit
  while ((getline line < "/proc/stat") > 0) {
    if (line ~ /^cpu[0-9]/) n++
    else if (line ~ /^btime /) { print line; break }
  }
  print "cpus", n
  print "uname Linux", first("/proc/sys/kernel/osrelease")
  print "boot", first("/proc/sys/kernel/random/boot_id")
  while ((getline line < "/etc/os-release") > 0)
    if (sub(/^PRETTY_NAME=/, "", line)) { print "os", line; break }
}'

# Linux tells all of this in files, most of it to awk: a shell reads them byte by byte. The rest of the world has commands
# for it, and a fork costs a millisecond.
# USER_HZ, the unit of times in /proc, is 100 wherever Linux runs a Jupyter, whatever the kernel's own HZ.
jt_host() {
  if [ -r /proc/self/stat ]; then
    jt_os=Linux
    jt_about="tick 100$jt_nl"
    while read -r jt_k jt_v jt_x; do
      case $jt_k in Uid:) jt_uid=$jt_v && break ;; esac
    done </proc/self/status
    jt_home=$HOME/.local/share/jupyter/runtime
  else
    jt_os=$(uname -s)
    jt_uid=$(id -u)
    jt_about="uname $(uname -srm)${jt_nl}cpus $(sysctl -n hw.ncpu)$jt_nl"
    jt_home=$HOME/Library/Jupyter/runtime
  fi
  jt_about="${jt_about}uid $jt_uid${jt_nl}clock $(date +%s)$jt_nl"
  ! command -v nvidia-smi >/dev/null || jt_about="${jt_about}nvidia$jt_nl"
} 2>/dev/null

# $1: what only the look itself could find out.
jt_tell_host() {
  [ -n "$jt_about" ] || return 0
  jt_section host
  jt_text=$jt_text$jt_about$1
  jt_about=''
}

# The pids that runtime files are named after are looked at whatever those processes are called. Without a kernel
# nobody's descendants matter, and only the candidates' stat is read.
jt_processes() {
  # shellcheck disable=SC2086
  awk -v whole="${jt_about:+1}" -v kernels="${jt_kernels:+1}" -v told="$jt_blind" "$jt_awk" \
    $jt_filed $jt_kernels "$@" /proc/[0-9]*
} 2>/dev/null

# mawk gives up when a process ends between the opening and the reading of its files; the next attempt does without it.
jt_ask() {
  for jt_x in 1 2 3 4 5 6 7 8; do
    jt_out=$(jt_processes "$@") && return
  done
}

jt_linux() {
  read -r jt_up jt_x </proc/uptime
  read -r jt_load jt_x </proc/loadavg
  [ -n "$jt_blind" ] || jt_ask
  case $jt_out in blind*) jt_blind=1 ;; esac
  # shellcheck disable=SC2046
  [ -z "$jt_blind" ] || jt_ask $(grep -ls -e '[j]upyter' -e '[k]ernel-' /proc/[0-9]*/cmdline)
  jt_procs=${jt_out%%--"$jt_nl"*}
  jt_out=${jt_out#*--"$jt_nl"}
  jt_section now
  jt_text="${jt_text}up $jt_up${jt_nl}load $jt_load$jt_nl${jt_out%%--"$jt_nl"*}"
  jt_out=${jt_out#*--"$jt_nl"}
  jt_tell_host "${jt_out#*--"$jt_nl"}"
  jt_section procs
  jt_text=$jt_text$jt_procs
  jt_details
  jt_sockets "${jt_out%%--*}"
}

# What never changes while a process keeps its pid, start time and name is told once.
jt_details() {
  jt_before=$jt_known jt_kernels_before="$jt_kernels " jt_apps_before="$jt_apps "
  jt_known=' ' jt_kernels='' jt_apps=''
  jt_ifs=$IFS
  IFS=$jt_nl
  # shellcheck disable=SC2086
  set -- $jt_procs
  IFS=$jt_ifs
  for jt_x; do
    case $jt_x in
    '= '*) jt_x=${jt_x#= } && jt_detail "${jt_x%%:*}" "${jt_x%% *}" ;;
    '~ '*) jt_kernels="$jt_kernels k${jt_x#'~ '}" ;;
    esac
  done
}

jt_detail() {
  jt_known="$jt_known$2 "
  case $jt_before in
  *" $2 "*)
    case $jt_kernels_before in *" k$1 "*) jt_kernels="$jt_kernels k$1" ;; esac
    case $jt_apps_before in *" $1 "*) jt_apps="$jt_apps $1" ;; esac
    return 0
    ;;
  esac
  jt_cmd=$(tr '\0\n' '\n ' <"/proc/$1/cmdline")
  jt_open cmd "$2"
  printf '%.4000s' "$jt_cmd"
  case $jt_cmd in
  *kernel-*.json*)
    jt_kernels="$jt_kernels k$1"
    jt_open env "$2"
    grep -z '^JPY_SESSION_NAME=' <"/proc/$1/environ"
    ;;
  *lab* | *note* | *server* | *single*) jt_app "$1" "$2" ;;
  *) case $jt_filed in *" $1 "*) jt_app "$1" "$2" ;; esac ;;
  esac
} 2>/dev/null

jt_app() {
  jt_apps="$jt_apps $1"
  jt_section uid "$2"
  while read -r jt_k jt_v jt_x; do
    case $jt_k in Uid:) jt_text=$jt_text$jt_v && break ;; esac
  done <"/proc/$1/status"
  jt_section cgroup "$2"
  while IFS= read -r jt_x; do jt_text=$jt_text$jt_x$jt_nl; done <"/proc/$1/cgroup"
  [ -r "/proc/$1/environ" ] || return 0
  # In a container with a network of its own: another machine, for all that we can reach.
  if ! [ "/proc/$1/ns/net" -ef /proc/self/ns/net ] && [ /proc/self/ns/net -ef /proc/self/ns/net ]; then
    jt_section elsewhere "$2"
    return 0
  fi
  jt_open out "$2"
  readlink "/proc/$1/fd/1"
  jt_open cwd "$2"
  readlink "/proc/$1/cwd"
  jt_open env "$2"
  grep -z -E '^(JUPYTER_RUNTIME_DIR|JUPYTER_DATA_DIR|XDG_DATA_HOME|HOME|JOURNAL_STREAM)=' <"/proc/$1/environ"
}

# How many files a server has open moves when a client comes or goes; which sockets are its own is looked up only then.
jt_sockets() {
  jt_fds=''
  for jt_x in $jt_apps; do
    set -- "$1" "/proc/$jt_x/fd/"*
    jt_fds="$jt_fds$jt_x $(($# - 1))$jt_nl"
  done
  [ -z "$jt_fds" ] || { jt_section fds && jt_text=$jt_text$jt_fds; }
  [ "$jt_net" != "$jt_fds$1" ] || return 0
  jt_net=$jt_fds$1
  jt_section listen
  jt_text=$jt_text$1
  [ -z "$jt_apps" ] || jt_owned
}

jt_owned() {
  jt_open own
  # shellcheck disable=SC2046,SC2086
  ls -l /dev/null $(printf '/proc/%s/fd/ ' $jt_apps) 2>/dev/null | awk '
    BEGIN {
      while ((getline line < "/proc/net/unix") > 0) {
        split(line, f, " ")
        if (f[4] != "00010000") continue
        for (i = 0; i < 7; i++) sub(/^[^ ]+ +/, "", line)
        path[f[7]] = line
      }
    }
    /^\/proc\/[0-9]+\/fd\/:$/ { split($0, f, "/"); pid = f[3] }
    / -> socket:\[[0-9]+\]$/ { inode = $NF; gsub(/[^0-9]/, "", inode); print pid, inode, path[inode] }'
}

# Where there is no /proc: macOS.
jt_ps() {
  jt_tell_host
  jt_open mac
  printf 'load %s\ntotal %s\ntime %s\n' "$(sysctl -n vm.loadavg)" "$(sysctl -n hw.memsize)" "$(date +%s)"
  vm_stat
  jt_x=$(TZ=UTC ps -axww -o pid=,ppid=,uid=,stat=,time=,rss=,lstart=,command= | grep -e '[j]upyter' -e '[k]ernel-')
  jt_section ps
  jt_text=$jt_text$jt_x
  jt_apps=$(printf '%s\n' "$jt_x" | awk '{ print $1 }')
  # A server writes its runtime file once it listens; nothing else here tells of that.
  [ "$jt_net" != "$jt_apps$jt_names" ] || return 0
  jt_net=$jt_apps$jt_names
  jt_open lsof
  # shellcheck disable=SC2086
  lsof -nP -a -p "$(printf '%s,' $jt_apps)0" -i TCP -s TCP:LISTEN -F pn
} 2>/dev/null

jt_stat() {
  case $jt_os in Linux) stat -c '%Y %s %n' "$@" ;; *) stat -f '%m %z %N' "$@" ;; esac
} 2>/dev/null

# What of directory $1 is called like $2, as jt_stat tells it. A name that matches nothing is no reason to fork.
jt_stat_all() {
  set -- "$1"/$2
  [ ! -e "$1" ] || jt_stat "$@"
}

# Whether something of the directories $2 ... is called like $1.
jt_any() {
  jt_x=$1
  shift
  for jt_dir; do
    set -- "$jt_dir"/$jt_x
    [ ! -e "$1" ] || return 0
  done
  return 1
}

# "$@": runtime directories. Files are told again when a server, a kernel or a file came or went; servers write once.
# Kernel connection files are only named, the newest 200: they hold the key that signs messages.
jt_runtime() {
  [ "$jt_files" != "$jt_apps$jt_kernels$jt_names" ] || return 0
  jt_files=$jt_apps$jt_kernels$jt_names
  jt_section connections
  if jt_any 'kernel-*.json' "$@"; then
    jt_flush
    for jt_dir; do jt_stat_all "$jt_dir" 'kernel-*.json'; done | sort -rn | head -n 200
  fi
  [ "$jt_filed" != ' ' ] || return 0
  jt_x=$(for jt_dir; do jt_stat_all "$jt_dir" 'jpserver-*.json'; jt_stat_all "$jt_dir" 'nbserver-*.json'; done)
  jt_ifs=$IFS
  IFS=$jt_nl
  # shellcheck disable=SC2086
  set -- $jt_x
  IFS=$jt_ifs
  for jt_x; do jt_file "$jt_x"; done
}

# "MTIME SIZE PATH"; a server's runtime file has some 400 bytes.
jt_file() {
  jt_size=${1#* } jt_path=${1#* * }
  [ -r "$jt_path" ] && [ "${jt_size%% *}" -lt 16384 ] || return 0
  jt_section file "${1%% *}" "$jt_path"
  while IFS= read -r jt_x || [ -n "$jt_x" ]; do jt_text=$jt_text$jt_x$jt_nl; done <"$jt_path"
}

# Sets jt_names, and jt_filed: the pids that the servers' runtime files in directories "$@" are named after.
jt_name() {
  jt_names='' jt_filed=' '
  for jt_dir; do
    set -- "$jt_dir"/jpserver-*.json "$jt_dir"/nbserver-*.json
    jt_names=$jt_names$*
    for jt_x; do
      jt_x=${jt_x##*server-} jt_x=${jt_x%.json}
      case $jt_x in '' | *[!0-9]*) ;; *) jt_filed="$jt_filed$jt_x " ;; esac
    done
  done
}

jt_survey() {
  jt_name "$@"
  if [ -r /proc/self/stat ]; then jt_linux; else jt_ps; fi
  jt_runtime "$@"
}

# Where Jupyter keeps runtime files; notebook 4 and older used XDG_RUNTIME_DIR.
jt_look() {
  jt_nonce=$1 jt_flags=$2 jt_text='' jt_about=''
  shift 2
  case $jt_flags in *a*) jt_forget && jt_host ;; esac
  case $jt_flags in *f*) jt_files='' ;; esac
  case $jt_flags in *s*) jt_net='' ;; esac
  jt_survey "$jt_home" "${XDG_RUNTIME_DIR:-/run/user/$jt_uid}/jupyter" \
    "${XDG_DATA_HOME:+$XDG_DATA_HOME/jupyter/runtime}" "${JUPYTER_DATA_DIR:+$JUPYTER_DATA_DIR/runtime}" \
    "${JUPYTER_RUNTIME_DIR:-}" "$@"
  case $jt_flags in *d*) jt_open disk && df -Pk "$HOME" 2>/dev/null ;; esac
  jt_open end
}
