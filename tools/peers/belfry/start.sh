#!/bin/bash
# Starts the release binary on 127.0.0.1:$PORT with the measuring contract's site. Prints the pid; stop with kill PID.
# usage: start.sh [run|cmd]   env: BELFRY PORT AGENTS USERS CALL_LIMIT CPU DATA RECORD MORE (a file with more of the site)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
belfry=${BELFRY:-$root/target/release/belfry}
port=${PORT:-5060} agents=${AGENTS:-20} users=${USERS:-1000} cpu=${CPU:-0}
data=${DATA:-$(mktemp -d /tmp/belfry-bench.XXXXXX)}
site=$data.toml
{
  sed -e "s/^record = .*/record = \"${RECORD:-never}\"/" -e "s/^call_limit = .*/call_limit = ${CALL_LIMIT:-4000}/" "$here/site.toml"
  printf '\n[[queue]]\nname = "bench"\nstrategy = "round_robin"\nwrap_up_s = 0\nmax_waiting = 1000\nmax_wait_s = 0\n'
  printf 'pause_after_misses = 0\noverflow_when_empty = false\nring_timeout_s = 20\noverflow = "hang_up"\nagents = ['
  for n in $(seq 1 "$agents"); do printf '"%d", ' "$n"; done
  printf ']\n'
  for n in $(seq 1 "$agents"); do
    printf '\n[[extension]]\nnumber = "7%03d"\nname = "Agent %d"\nuser = "agent%02d"\npassword = "unused-static-%d"\n' "$n" "$n" "$n" "$n"
    printf 'contact = "sip:agent%02d@127.0.0.4:5091"\n[[agent]]\nid = "%d"\nname = "Agent %d"\nextension = "7%03d"\nalways_on = true\n' "$n" "$n" "$n" "$n"
  done
  for n in $(seq 1000 $((999 + users))); do
    printf '\n[[extension]]\nnumber = "%d"\nname = "User %d"\npassword = "pw%d"\n' "$n" "$n" "$n"
  done
  [ -z "${MORE:-}" ] || cat "$MORE"
} > "$site"
command=(taskset -c "$cpu" "$belfry" run --data "$data" --site "$site" --sip "127.0.0.1:$port"
  --http 127.0.0.1:18080 --https 127.0.0.1:18443 --rtp 10000-17999 --media-address 127.0.0.1)
case ${1:-run} in
  cmd) printf '%s ' "${command[@]}"; echo;;
  run)
    "${command[@]}" > "$data.log" 2>&1 < /dev/null &
    pid=$!
    for _ in $(seq 100); do grep -q '^ready ' "$data.log" && break; sleep 0.1; done
    grep -q '^ready ' "$data.log" || { echo "Belfry did not start: see $data.log" >&2; exit 1; }
    echo "$pid";;
  *) echo "usage: start.sh [run|cmd]" >&2; exit 2;;
esac
