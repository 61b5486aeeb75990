#!/usr/bin/env bash
# Alertmanager: an alert that is posted with an end and no start starts when it ends, and fires all the same.
#
# Seen with Alertmanager 0.25.0 (Debian 12's prometheus-alertmanager 0.25.0-1+b4, November 2026).
#
# Both times are optional in the API (`POST /api/v2/alerts`). Where the start is left out, it becomes the time of arrival if
# there is no end either, and the end otherwise. An alert that is to stand for a week, with an end in a week, so starts in a
# week by all that is shown and sent of it, and is firing now.
#
# Output seen:
#   without a start: active, starts 7 days from now
#   what the receiver is sent: firing, starts 7 days from now
#   with a start: active, starts 0 days from now
#
# Why it matters here: a notice that an outage has begun is an alert without a known end. Without any end, Alertmanager resolves
# it by itself after five minutes, so it is given one that is far away; with that, the start must be given, too.
#
# Needs apt-get and dpkg with a Debian 12 mirror, curl, python3; takes some seconds. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
server='' receiver=''
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$receiver" ] || kill "$receiver" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
cd "$folder"
apt-get download -qq prometheus-alertmanager=0.25.0-1+b4 >/dev/null 2>&1
dpkg -x prometheus-alertmanager_*.deb package

cat >receiver.py <<'PYTHON'
import http.server

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open("received", "wb") as file:
            file.write(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
with open("port", "w") as file:
    file.write(str(server.server_port))
server.serve_forever()
PYTHON
python3 receiver.py &
receiver=$!
soon() { # a command, tried for ten seconds
  for _ in $(seq 100); do
    if "$@" >/dev/null; then return; fi
    sleep 0.1
  done
  return 1
}
soon test -s port
cat >config.yml <<YAML
route: {receiver: us, group_wait: 100ms, group_interval: 500ms}
receivers: [{name: us, webhook_configs: [{url: 'http://127.0.0.1:$(cat port)/'}]}]
YAML
free=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
package/usr/bin/prometheus-alertmanager --config.file=config.yml --storage.path=data --cluster.listen-address= \
  --web.listen-address="127.0.0.1:$free" >log 2>&1 &
server=$!
api=http://127.0.0.1:$free/api/v2/alerts
soon curl -sf "$api"

post() { # name, and what stands beside the end
  curl -sf -H 'Content-Type: application/json' "$api" \
    -d "[{\"labels\":{\"alertname\":\"$1\"},$2\"endsAt\":\"$(date -u -d '+7 days' +%FT%TZ)\"}]"
}
in_words() { # of an alert on standard input, as the API and as a receiver has it
  python3 -c '
import datetime, json, sys
alert = json.load(sys.stdin)
alert = alert["alerts"][0] if "alerts" in alert else alert[0]
start = datetime.datetime.fromisoformat(alert["startsAt"][:19]).replace(tzinfo=datetime.timezone.utc)
days = round((start - datetime.datetime.now(datetime.timezone.utc)).total_seconds() / 86400)
status = alert["status"] if isinstance(alert["status"], str) else alert["status"]["state"]
print(f"{status}, starts {days} days from now")'
}
post without ''
soon test -s received
without=$(curl -sf "$api?filter=alertname=without" | in_words)
sent=$(in_words <received)
post with "\"startsAt\":\"$(date -u +%FT%TZ)\","
with=$(curl -sf "$api?filter=alertname=with" | in_words)
printf 'without a start: %s\nwhat the receiver is sent: %s\nwith a start: %s\n' "$without" "$sent" "$with"
[ "$without" = 'active, starts 7 days from now' ] && [ "$sent" = 'firing, starts 7 days from now' ] &&
  [ "$with" = 'active, starts 0 days from now' ]
