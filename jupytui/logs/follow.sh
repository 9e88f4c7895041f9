# Follow one log file by name; POSIX sh with stat, dd, tail, wc, ls and sleep as GNU, busybox or BSD have them.
# $1 file  $2 mark  $3 tail|begin|resume  $4 id and $5 offset to resume at  $6 lines and $7 bytes of history at most
# $8 bytes of arrears beyond which to skip (0: never)  $9 1: end when all is said
#
# What it says: NUL mark "at ID FROM SIZE" newline, then the bytes FROM to SIZE of the file; "new REASON" before it goes
# on with the first byte of another (or a truncated) file; "skip LINES" before it goes on further down; "none" when
# there is no file yet. The open descriptor 3 keeps a rotated or deleted file until its last byte is read.
f=$1 mark=$2 start=$3 id=$4 off=$5 history=$6 most=$7 limit=$8 once=$9
trap 'exit 143' HUP INT TERM
g=$f pos=0 want=
# Opening it anew, Linux gives a descriptor of its own at offset 0; elsewhere it is the same one, where it stood.
if [ -e /proc/self/fd/0 ]; then fd=/proc/self/fd/3 back=64; else fd=/dev/fd/3 back=0; fi
if stat -L -c %i / >/dev/null 2>&1; then
  st() { stat -L -c '%d:%i %s' -- "$@" 2>/dev/null; }
else
  st() { stat -L -f '%d:%i %z' -- "$@" 2>/dev/null; }
fi

short=0.1 long=0.5
sleep 0.01 2>/dev/null || short=1 long=1

say() { printf '\000%s %s\n' "$mark" "$*"; }

range() {
  {
    [ "$1" -eq "$pos" ] || dd bs=1 skip=$(($1 - pos)) count=0
    n=$(($2 - $1))
    [ "$n" -lt 65536 ] || dd bs=65536 count=$((n / 65536))
    [ $((n % 65536)) -eq 0 ] || dd bs=$((n % 65536)) count=1
  } <"$fd" 2>/dev/null
}

moved() { [ "$back" -gt 0 ] || pos=$1; }

skip() {
  to=$(($1 - limit / 2))
  lines=$(range "$off" "$to" | wc -l)
  moved "$to"
  off=$to
  say skip $((lines))
}

# Each piece starts a little before what is new, so that the reader sees whether it is still the same text.
tell() {
  from=$((off - lead))
  lead=$back
  [ "$limit" -gt 0 ] && [ $(($1 - off)) -gt "$limit" ] && { skip "$1"; from=$off; }
  [ "$from" -ge 0 ] || from=0
  say at "$id" "$from" "$1"
  range "$from" "$1"
  moved "$1"
  off=$1
}

history() {
  n=$(tail -n "$history" "$g" 2>/dev/null | wc -c)
  [ "$n" -lt "$most" ] || n=$most
  off=$(($1 - n - 1))
  [ "$off" -ge 0 ] || off=0
}

renew() { say new "$1"; start=begin; }

rest() {
  quiet=$((quiet + 1))
  if [ "$quiet" -gt 50 ]; then sleep "$long"; else sleep "$short"; fi
}

# Returns when another file, or this one from its start, is to be opened next.
follow() {
  pos=0 quiet=0 lead=0
  set -- $(st "$fd")
  # While names were read and opened, rotation may have given them to other files.
  if [ "$want" ] && [ "${1#*:}" != "$want" ]; then
    g=$(named "$want")
    [ "$g" ] || { want='' g=$f; }
    return
  fi
  want=
  case $start in
    tail) history "$2" ;;
    begin) off=0 ;;
    resume) lead=64; [ "$1" = "$id" ] || { renew lost; g=$f; return; } ;;
  esac
  id=$1 start=resume
  while :; do
    set -- $(st "$fd" "$f")
    if [ "$2" -lt "$off" ]; then
      renew truncated; return
    elif [ "$2" -gt "$off" ]; then
      tell "$2"; quiet=0
    elif [ "$once" = 1 ]; then
      exit 0
    elif [ "${3:-$id}" != "$id" ] && [ "$4" -gt 0 ]; then
      set -- $(st "$fd") # again: between the two looks, it may have got its last lines
      [ "$2" -eq "$off" ] || continue
      want=$(newer)
      g=$(named "$want")
      [ "$g" ] || { want='' g=$f; }
      renew rotated; return
    else
      rest
    fi
  done
}

# The file and what rotation made of it, oldest first: each is written to last before the next one is begun.
listed() {
  ls -1triL -- "$f" "$f".* "$f"-* 2>/dev/null | while read -r inode one; do
    case $one in *.gz | *.xz | *.bz2 | *.zst) ;; *) printf '%s %s\n' "$inode" "$one" ;; esac
  done
}

# A listing that was made while names moved lacks the files that met it under neither name: one counts that comes twice.
family() {
  now=$(listed) tries=0
  while was=$now now=$(listed) && [ "$now" != "$was" ] && [ "$tries" -lt 20 ]; do tries=$((tries + 1)); done
  printf '%s\n' "$now"
}

# The inode of the file after this one.
newer() {
  seen=
  while read -r inode one; do
    [ -z "$seen" ] || { printf '%s' "$inode"; break; }
    [ "$inode" != "${id#*:}" ] || seen=1
  done <<X
$(family)
X
}

named() {
  family | while read -r inode one; do
    [ "$inode" != "$1" ] || { printf '%s' "$one"; break; }
  done
}

where() {
  case $(st "$f") in "$id "*) printf '%s' "$f"; return ;; esac
  named "${id#*:}"
}

[ "$start" != resume ] || { g=$(where); [ "$g" ] || { renew lost; g=$f; }; }
quiet=0 told=
while :; do
  if [ -d "$g" ]; then exit 4; fi
  if [ -r "$g" ]; then
    follow 3<"$g"
  elif [ -e "$g" ]; then
    exit 3
  elif [ "$g" != "$f" ]; then
    g=$f
  else
    [ "$told" ] || say none
    [ "$once" != 1 ] || exit 0
    told=1 start=begin
    rest
  fi
done
