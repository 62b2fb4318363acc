# shellcheck shell=bash
# What both examples need: the program, a folder that is gone at the end, and processes that are stopped.

here=$(cd -- "$(dirname -- "$0")" && pwd)
built=$here/../../../target/debug/countersign
[ -x "$built" ] || built=countersign
countersign=$(realpath -- "$(command -v -- "${COUNTERSIGN:-$built}")" 2>/dev/null) || {
  printf 'error: there is no countersign\nhint: run  cargo build\n' >&2
  exit 2
}
cd -- "$here"

folder=$(mktemp -d)
processes=()
stop() {
  [ ${#processes[@]} = 0 ] || kill "${processes[@]}" 2>/dev/null || true
  wait
  rm -rf "$folder"
}
trap stop EXIT

# wait_for PATTERN FILE: prints what the pattern's group finds as soon as it is there.
wait_for() {
  local found
  for _ in {1..300}; do
    found=$(sed -nE "s|.*$1.*|\1|p" "$2" 2>/dev/null | head -n 1) || true # the file may not be there yet
    if [ -n "$found" ]; then
      printf '%s\n' "$found"
      return
    fi
    sleep 0.1
  done
  printf 'error: this never came: %s\n' "$1" >&2
  tail -n 20 "$folder"/*.log >&2
  return 2
}

# gate FILE ARGUMENT...: starts `countersign gate` in the background, with its log in FILE.
gate() {
  local log=$1
  shift
  RUST_LOG=info "$countersign" gate "$@" --log json 2>"$log" &
  processes+=($!)
}

export PYTHONDONTWRITEBYTECODE=1
