# Sourced by ./run and ./test: has the .NET SDK and the system's packages ready, or says in one line what to do.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
log="$root/artifacts/log"
mkdir -p "$log"

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Runs a command quietly; shows the end of what it said only if it fails.
quietly() {
  local name=$1; shift
  if ! "$@" >"$log/$name.log" 2>&1; then
    tail -n 40 "$log/$name.log" >&2
    die "'$*' failed; all of its output is in artifacts/log/$name.log"
  fi
}

has_sdk() { "$1" --list-sdks 2>/dev/null | grep -q '^10\.'; }

apt_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -q && apt-get install -yq --no-install-recommends "$@"; } >>"$log/apt.log" 2>&1
}

# The SDK on the PATH, else the one in .dotnet, else one installed now.
need_dotnet() {
  if command -v dotnet >/dev/null && has_sdk dotnet; then return; fi
  export DOTNET_ROOT="$root/.dotnet" PATH="$root/.dotnet:$PATH"
  if [ -x "$root/.dotnet/dotnet" ] && has_sdk "$root/.dotnet/dotnet"; then return; fi
  say "No .NET 10 SDK here; installing one."
  if apt_install dotnet-sdk-10.0; then unset DOTNET_ROOT; return; fi
  if curl -fsSL -m 30 https://dot.net/v1/dotnet-install.sh -o "$log/dotnet-install.sh" &&
    bash "$log/dotnet-install.sh" --channel 10.0 --install-dir "$root/.dotnet" >"$log/dotnet-install.log" 2>&1; then return; fi
  die "The .NET 10 SDK could not be installed: install it from https://dotnet.microsoft.com/download/dotnet/10.0 and run this again."
}

# Debian packages by the command or file that each brings: need_packages docker.io:/usr/sbin/dockerd clang:clang ...
need_packages() {
  local missing=() pair
  for pair in "$@"; do
    command -v "${pair#*:}" >/dev/null || [ -e "${pair#*:}" ] || missing+=("${pair%%:*}")
  done
  [ ${#missing[@]} = 0 ] && return
  say "Installing ${missing[*]}."
  apt_install "${missing[@]}" || say "Could not install ${missing[*]} (root and apt-get are needed); what needs them is left out."
}

# One compiler for all projects instead of one each takes a third of the time; it is not left running.
end_compiler() { dotnet build-server shutdown --vbcscompiler >/dev/null 2>&1 || true; }

# Publishes the executables to bin/.
publish() {
  need_packages clang:clang zlib1g-dev:/usr/include/zlib.h
  local aot=true
  if ! command -v clang >/dev/null && ! command -v gcc >/dev/null; then
    aot=false
    say "No C linker here (clang or gcc): the programs are built without ahead-of-time compilation, start slower, take more memory and need the .NET runtime."
  fi
  mkdir -p "$root/bin"
  quietly publish-swarmd dotnet publish "$root/src/swarmd" -c Release -o "$root/bin" -v q -p:UseSharedCompilation=true -p:PublishAot=$aot
  quietly publish-supervisor dotnet publish "$root/src/Skep.Supervisor" -c Release -o "$root/bin" -v q -p:UseSharedCompilation=true -p:PublishAot=$aot
  quietly publish-swarmctl dotnet publish "$root/src/swarmctl" -c Release -o "$root/bin" -v q -p:UseSharedCompilation=true -p:PublishAot=$aot
  end_compiler
}
