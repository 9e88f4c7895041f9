# Sees to it that prefix $1 is whole or as it was before. Standard input is a pipe that every builder holds open: its
# end means that none of them runs any more, however they ended, and whether the last of them had said `done`.
# It also says whose attempt this is: what by now is another's is left alone.
# Exit status: 0 finished, 1 undone, 2 something could not be removed.
trap '' HUP INT TERM
prefix=$1 before=$1/.jupytui-before finished= mine=
shift
while read -r word rest; do
  case $word in
  owner) mine=$rest ;;
  made) set -- "$@" "$rest" ;; # directories that were not there, the innermost first
  done) finished=yes ;;
  esac
done

remove_all() {
  for entry in "$prefix"/* "$prefix"/.[!.]*; do
    case ${entry##*/} in "$MARKER") ;; *) rm -rf "$entry" ;; esac
  done
  rm -rf "$prefix"
}

# May itself be cut short and done again: what was put back is no longer in .jupytui-before.
put_back() {
  for entry in "$before"/absent/*; do
    [ -d "$entry" ] && rm -rf "${prefix:?}/${entry##*/}" && rmdir "$entry"
  done
  for entry in "$before"/was/*; do
    [ -e "$entry" ] || [ -h "$entry" ] || continue
    rm -rf "${prefix:?}/${entry##*/}" && mv "$entry" "$prefix/"
  done
}

tidy() {
  rm -rf "$prefix/.jupytui-temporary" "$prefix/.jupytui-part" "$before"
  [ ! -e "$before" ] && rm -f "$prefix/$MARKER"
}

undo() {
  if read_owner "$prefix" && [ "$owner" = "$mine" ]; then
    mine=$(myself "$kind")
    ln -s "$mine" "$prefix/$MARKER.$$" && mv -f "$prefix/$MARKER.$$" "$prefix/$MARKER"
    case $kind in
    new) remove_all ;;
    *) put_back && tidy ;;
    esac
  fi
  for directory; do rmdir "$directory"; done
  read_owner "$prefix" && [ "$owner" = "$mine" ] && exit 2
  exit 1
}

if [ -n "$finished" ]; then tidy || exit 2; else undo "$@"; fi
