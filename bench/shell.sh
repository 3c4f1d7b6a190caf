#!/bin/bash
# The floor: what a careful shell script needs to bring the same Redis to the same state, all hosts at once.
#   REDIS_PASSWORD=... bench/shell.sh SSH_CONFIG MAXMEMORY ADDRESS...
# It does a good deal less than the role: no check of its input, no check of the new file by the server, no comparison by
# meaning, no repair of a value changed by hand, no kernel or unit settings, no other version or repository, no report.
set -euo pipefail

ssh_config=$1 maxmemory=$2
shift 2

# What runs on a host. The password comes through stdin with the script, and so is in no argument list.
remote() {
    printf 'address=%q maxmemory=%q REDISCLI_AUTH=%q\n' "$1" "$maxmemory" "$REDIS_PASSWORD"
    cat << 'REMOTE'
set -eu
export REDISCLI_AUTH DEBIAN_FRONTEND=noninteractive
conf=/etc/redis/redis.conf
if ! [ -x /usr/bin/redis-server ]; then
    apt-get install --yes --quiet --no-install-recommends redis-server < /dev/null > /dev/null 2>&1
fi
umask 077
cat > $conf.new << CONF
bind 127.0.0.1 $address
port 6379
protected-mode yes
requirepass "$REDISCLI_AUTH"
masterauth "$REDISCLI_AUTH"
timeout 300
maxmemory $maxmemory
maxmemory-policy allkeys-lru
save 900 1 300 10 60 10000
loglevel notice
dir /var/lib/redis
logfile /var/log/redis/redis-server.log
pidfile /run/redis/redis-server.pid
CONF
if cmp -s $conf.new $conf; then
    rm $conf.new
    systemctl is-active --quiet redis-server || systemctl start redis-server
elif [ "$(grep -v '^maxmemory ' $conf)" = "$(grep -v '^maxmemory ' $conf.new)" ]; then
    redis-cli -h "$address" config set maxmemory "$maxmemory" > /dev/null
    chown redis:redis $conf.new && chmod 640 $conf.new && mv $conf.new $conf
else
    chown redis:redis $conf.new && chmod 640 $conf.new && mv $conf.new $conf
    systemctl restart redis-server
fi
[ "$(redis-cli -h "$address" ping)" = PONG ]
REMOTE
}

jobs=()
for address in "$@"; do
    remote "$address" | ssh -F "$ssh_config" "$address" sudo sh -s &
    jobs+=($!)
done
for job in "${jobs[@]}"; do
    wait "$job"
done
