#!/usr/bin/env bash
# miniupnpd: a pinhole that PCP has renewed can be closed no more, not even with the nonce that opened it.
#
# Seen with miniupnpd 2.3.1 of Debian 12 (miniupnpd-nftables 2.3.1-1) over IPv6 (November 2026).
#
# A MAP request opens the firewall for a port of the machine that asks, and one with lifetime 0 and the same nonce closes it. Between
# the two, the same request once more is a renewal, and is granted. After one, lifetime 0 is refused with NOT_AUTHORIZED (2), and
# the pinhole stays until its lifetime is over. A renewal for 1 s is granted all the same, for the least time that the router gives.
#
# Output seen:
#   opened 0 600, closed 0 0
#   opened 0 600, renewed 0 600, closed 2 0, shortened 0 120
#
# Why it matters here: what keeps a port open renews it, so `porchlight port close` would leave every port open over IPv6 for two hours
# more. It has such a pinhole end as soon as the router lets it.
#
# Needs root, a kernel with network namespaces and nftables, ip, nft, python3, and Debian's packages. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
router=finding-router-$$ home=finding-home-$$
# shellcheck disable=SC2317,SC2329 # run by the trap
clean() {
  if [ -s "$folder/pid" ]; then kill "$(cat "$folder/pid")" || true; fi
  for name in $router $home; do ip netns del "$name" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap clean EXIT
chmod 755 "$folder"
cd "$folder"
apt-get -qq download miniupnpd-nftables=2.3.1-1
dpkg-deb -x miniupnpd-nftables_*.deb .

for name in $router $home; do ip netns add "$name"; done
ip -n $router link add lan type veth peer name lan netns $home
ip -n $router link add wan type veth peer name world netns $home
ip -n $router address add 192.168.50.1/24 dev lan
ip -n $router address add 81.2.69.142/24 dev wan
ip -n $router address add 2a02:8109:1:1::1/64 dev lan nodad
ip -n $home address add 2a02:8109:1:1::7/64 dev lan nodad
for end in "$router lan" "$router wan" "$home lan" "$home world"; do
  # shellcheck disable=SC2086 # two words
  set -- $end
  ip -n "$1" link set "$2" up
done
ip netns exec $router nft -f - <<'NFT'
table inet filter {
 chain forward { type filter hook forward priority 0; policy drop;
  jump miniupnpd
 }
 chain miniupnpd {
 }
 chain prerouting_miniupnpd {
 }
 chain postrouting_miniupnpd {
 }
}
NFT
cat >miniupnpd.conf <<'CONF'
ext_ifname=wan
ext_ifname6=wan
listening_ip=lan
enable_natpmp=yes
enable_upnp=no
min_lifetime=120
CONF
ip netns exec $router ./usr/sbin/miniupnpd -d -f miniupnpd.conf -P "$folder/pid" >said 2>&1 &
for _ in $(seq 50); do grep -q Listening said && break; sleep 0.1; done

cat >pcp.py <<'PYTHON'
import ipaddress
import os
import socket
import struct

ME = ipaddress.ip_address("2a02:8109:1:1::7").packed


def map_tcp(nonce, port, lifetime):
    asking = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    asking.settimeout(3)
    head = struct.pack("!BBHI", 2, 1, 0, lifetime) + ME
    body = nonce + struct.pack("!BxxxHH", 6, port, 0 if lifetime == 0 else port) + bytes(16)
    asking.sendto(head + body, ("2a02:8109:1:1::1", 5351))
    answer = asking.recv(1100)
    return answer[3], struct.unpack("!I", answer[4:8])[0] if answer[3] == 0 else 0


def told(word, answer):
    return f"{word} {answer[0]} {answer[1]}"


once, kept = os.urandom(12), os.urandom(12)
print(told("opened", map_tcp(once, 8080, 600)), told("closed", map_tcp(once, 8080, 0)), sep=", ")
opened, renewed = map_tcp(kept, 8081, 600), map_tcp(kept, 8081, 600)
closed, shortened = map_tcp(kept, 8081, 0), map_tcp(kept, 8081, 1)
words = [told("opened", opened), told("renewed", renewed), told("closed", closed), told("shortened", shortened)]
print(*words, sep=", ")
PYTHON
ip netns exec $home python3 pcp.py | tee seen
diff seen - <<'SEEN'
opened 0 600, closed 0 0
opened 0 600, renewed 0 600, closed 2 0, shortened 0 120
SEEN
