# Sourced by ./run: the tour.

export PATH="$root/bin:$PATH"
state=$(mktemp -d /tmp/skep.XXXXXX)
declare -A daemons ports

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
tell() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
socket_of() { echo "$state/$1.d/swarm.sock"; }
show() { printf '%s$ %s%s\n' "$dim" "$*" "$plain"; "$@"; }

clean_up() {
  trap - EXIT INT TERM
  printf '\nCleaning up.\n'
  for service in $(swarmctl service ls -q 2>/dev/null); do swarmctl service remove "$service" >/dev/null 2>&1 || true; done
  until_true 20 no_tasks || true
  for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${daemons[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$state"
}

# Tries a command every quarter of a second, for so many seconds.
until_true() {
  local tries=$(($1 * 4)); shift
  while ! "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || return 1
    sleep 0.25
  done
}

no_tasks() { [ -z "$(swarmctl task ls --all -q)" ]; }
nodes_ready() { [ "$(swarmctl node ls | grep -c ' READY')" = 3 ] && managers_reachable 3; }
managers_reachable() { [ "$(swarmctl node ls | grep -cw REACHABLE)" = "$1" ]; }
leader() { swarmctl node ls | awk '/REACHABLE \*/ { print $2 }'; }

# Each node manages: it has a control socket of its own and a port for the others.
start() {
  local name=$1; shift
  ports[$name]=${ports[$name]:-$(free_port)}
  swarmd -d "$state/$name" --hostname "$name" --listen-control-api "$(socket_of "$name")" --listen-remote-api "127.0.0.1:${ports[$name]}" "$@" >>"$state/$name.log" 2>&1 &
  daemons[$name]=$!
}

free_port() {
  local free=4242
  while ss -Hltn "sport = :$free" 2>/dev/null | grep -q . || [[ " ${ports[*]} " == *" $free "* ]]; do free=$((free + 1)); done
  echo $free
}

# A redis for the engine: the real image if it is here or can be had, else one made of Debian's redis-server.
redis_images() {
  docker image inspect redis:3.0.5 redis:3.0.6 >/dev/null 2>&1 && return
  if timeout 60 docker pull -q redis:3.0.5 >/dev/null 2>&1 && timeout 60 docker pull -q redis:3.0.6 >/dev/null 2>&1; then return; fi
  command -v redis-server >/dev/null || apt_install redis-server || return 1
  local files
  files=$(command -v redis-server; ldd "$(command -v redis-server)" | grep -o '/[^ ]*')
  for tag in 3.0.5 3.0.6; do
    # shellcheck disable=SC2086
    tar -chf - $files 2>/dev/null | docker import -c 'CMD ["/usr/bin/redis-server","--save","","--port","6379"]' - "redis:$tag" >/dev/null || return 1
  done
  say "(redis:3.0.5 and redis:3.0.6 are stand-ins made of this machine's redis-server: the registry was out of reach.)"
}

trap clean_up EXIT
trap 'exit 130' INT TERM

tell "A manager, and two more that join with its token"
export SWARM_SOCKET=$(socket_of node-1)
start node-1
until_true 30 swarmctl cluster ls || { tail -n 20 "$state/node-1.log"; die "The manager did not start; its log is above."; }
show swarmctl cluster inspect default
token=$(swarmctl cluster inspect default | sed -n 's/^ *Manager: //p')
start node-2 --join-addr "127.0.0.1:${ports[node-1]}" --join-token "$token"
start node-3 --join-addr "127.0.0.1:${ports[node-1]}" --join-token "$token"
until_true 60 nodes_ready || { tail -n 20 "$state"/node-?.log; die "The managers did not join; the logs are above."; }
show swarmctl node ls

if docker version >/dev/null 2>&1 && redis_images; then
  service=redis
  tell "A redis on the container engine of this machine"
  show swarmctl service create --name redis --image redis:3.0.5 --detach=false
  change=(--image redis:3.0.6)
else
  service=clock
  tell "No container engine answers here, so tasks are processes of the host, each in its own cgroup"
  show swarmctl service create --name clock --runtime process --command /bin/sh --args "-c,\"while :; do date; sleep 1; done\"" --detach=false
  change=(--args "-c,\"while :; do date --utc; sleep 1; done\"")
fi
show swarmctl service ls

tell "Six of it"
show swarmctl service update $service --replicas 6 --detach=false
show swarmctl service inspect $service

tell "A rolling update, two at a time"
show swarmctl service update $service "${change[@]}" --update-parallelism 2 --update-delay 1s --detach=false
show swarmctl service inspect $service
printf '%s$ swarmctl service logs --tail 1 %s%s\n' "$dim" $service "$plain"
swarmctl service logs --tail 1 $service 2>&1 | head -n 12 || true

tell "The leader is killed (-9), and another leads"
show swarmctl node ls
killed=$(leader)
for name in node-1 node-2 node-3; do [ "$name" = "$killed" ] || SWARM_SOCKET=$(socket_of "$name"); done
printf '%s$ kill -9 %s   # %s; what follows is asked of another manager%s\n' "$dim" "${daemons[$killed]}" "$killed" "$plain"
began=$(date +%s%N)
kill -9 "${daemons[$killed]}"
wait "${daemons[$killed]}" 2>/dev/null || true
until_true 30 sh -c 'echo hello | swarmctl config create greeting || swarmctl config inspect greeting' || die "No write was taken within 30 s."
printf 'The next write was taken %s ms after the kill.\n' $((($(date +%s%N) - began) / 1000000))
until_true 10 managers_reachable 2 || true
show swarmctl node ls
start "$killed"
until_true 60 nodes_ready || { tail -n 20 "$state/$killed.log"; die "$killed did not come back; its log is above."; }
printf '%s$ swarmd -d %s …   # started again%s\n' "$dim" "$state/$killed" "$plain"
show swarmctl node ls
swarmctl config remove greeting >/dev/null

tell "A service that asks for more than any node has says so"
show swarmctl service create --name greedy --runtime process --command /bin/sleep --args 1000 --memory-reservation 512g
until_true 10 sh -c 'swarmctl service why greedy | grep -q "asks"' || true
show swarmctl service why greedy
show swarmctl service remove greedy

if [ -n "$once" ]; then
  exit 0
fi
tell "The cluster stays until Ctrl-C. In another shell:"
printf '  export PATH=%s/bin:$PATH SWARM_SOCKET=%s\n  swarmctl service inspect %s\n  swarmctl node drain node-2\n' "$root" "$SWARM_SOCKET" $service
printf '  docker swarm join --token %s ADDRESS:%s   # from a Docker Engine that reaches this machine\n' "$(swarmctl cluster inspect default | sed -n 's/^ *Worker: //p')" "${ports[node-1]}"
wait
