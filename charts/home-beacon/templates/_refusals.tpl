{{/*
What the schema cannot express: settings that contradict each other, names of the old chart, and what the cluster would refuse
in words that do not help. One sentence each, as a JSON list.
*/}}
{{- define "porchlight.refusals" -}}
{{- $wrong := list -}}
{{- range list "image" "zone" "port" "schedules" "amounts" "both" "renamed" "accounts" "page" "keeper" "checks" "operator" "pinglow" "notices" "heartbeat" "relay" "ports" "cluster" -}}
{{- $wrong = concat $wrong (include (printf "porchlight.refusals.%s" .) $ | fromJsonArray) -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{- define "porchlight.refusals.image" -}}
{{- if .Values.image.repository -}}
[]
{{- else -}}
{{- $tag := .Values.image.tag | default .Chart.AppVersion -}}
{{- $build := printf "buildah build --format docker --layers --platform linux/arm64 --tag localhost/porchlight:%s --build-arg BUILDPLATFORM=linux/$(buildah info --format '{{.host.arch}}') ." $tag -}}
{{- $carry := printf "buildah push -q localhost/porchlight:%s docker-archive:/dev/stdout:localhost/porchlight:%s | ssh pi sudo k3s ctr images import -" $tag $tag -}}
{{- $make := printf "%s && %s" $build $carry -}}
{{- list (printf "image.repository is empty: there is no public image yet, so build one on your laptop and carry it to the Pi (linux/amd64 in the place of linux/arm64 for a PC): %s; and set image.repository to localhost/porchlight" $make) | toJson -}}
{{- end -}}
{{- end }}

{{- define "porchlight.refusals.port" -}}
{{- $wrong := list -}}
{{- if and .Values.port.enabled (not .Values.port.router) -}}
{{- $wrong = append $wrong "port.router is empty: a pod cannot see which router its node has, so set it to the router's address at home, like 192.168.1.1" -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{- define "porchlight.refusals.both" -}}
{{- $wrong := list -}}
{{- $sentence := "%s.secretName and %s.%s are both set: keep the name of your Secret, or what it holds" -}}
{{- range $of, $what := dict "beacon" "key" "keeper" "token" "duckdns" "token" "statuspage" "token" -}}
{{- $values := index $.Values $of -}}
{{- if and $values.secretName (index $values $what) }}{{ $wrong = append $wrong (printf $sentence $of $of $what) }}{{ end -}}
{{- end -}}
{{- with .Values.keeper.notify -}}
{{- if and .secretName .urls }}{{ $wrong = append $wrong (printf $sentence "keeper.notify" "keeper.notify" "urls") }}{{ end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{- define "porchlight.refusals.renamed" -}}
{{- $wrong := list -}}
{{- $renamed := dict "webserver.image" "image.repository" "webserver.label" "image.tag" "duckdns.image" "image.repository" "duckdns.label" "image.tag" "statuspage.latency.image" "image.repository" "statuspage.bandwidth.image" "image.repository" -}}
{{- range $old := keys $renamed | sortAlpha -}}
{{- $there := true -}}
{{- $at := $.Values -}}
{{- range splitList "." $old -}}
{{- if and $there (kindIs "map" $at) (hasKey $at .) }}{{ $at = index $at . }}{{ else }}{{ $there = false }}{{ end -}}
{{- end -}}
{{- if $there -}}
{{- $wrong = append $wrong (printf "%s is now %s: one image holds every program, so remove it" $old (index $renamed $old)) -}}
{{- end -}}
{{- end -}}
{{- if hasKey (.Values.webserver | default dict) "contentPath" -}}
{{- $wrong = append $wrong "webserver.contentPath is gone: it never did anything, so remove it" -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{- define "porchlight.refusals.accounts" -}}
{{- $wrong := list -}}
{{- if and .Values.dns.enabled (not .Values.duckdns.domain) -}}
{{- $wrong = append $wrong "duckdns.domain is empty: set it to the home's name at DuckDNS, like myhome, or set dns.enabled to false" -}}
{{- end -}}
{{- with .Values.dyndns -}}
{{- range $name := list "user" "secretName" -}}
{{- if and $.Values.dyndns.url (not (index $.Values.dyndns $name)) -}}
{{- $wrong = append $wrong (printf "dyndns.url is set, but dyndns.%s is not: the service takes no call without user and password" $name) -}}
{{- end -}}
{{- end -}}
{{- if and .url (not $.Values.dns.enabled) -}}
{{- $wrong = append $wrong "dyndns.url is set, but dns.enabled is false: it is dns that keeps the second name" -}}
{{- end -}}
{{- if and .url (not $.Values.keeper.enabled) (not $.Values.state.enabled) -}}
{{- $wrong = append $wrong "dyndns.url is set, but nothing remembers what its service took, and it blocks who calls without a change: set state.enabled to true" -}}
{{- end -}}
{{- end -}}
{{- if not .Values.keeper.enabled -}}
{{- if and (or .Values.ping.enabled .Values.bandwidth.enabled .Values.checks.enabled) (not .Values.statuspage.pageId) -}}
{{- $wrong = append $wrong "keeper.enabled is false and statuspage.pageId is empty: there is nowhere to send what is measured, so set one of them" -}}
{{- else -}}
{{- range $job, $metric := dict "ping" "latency" "bandwidth" "bandwidth" -}}
{{- if and (index $.Values $job).enabled (not (index $.Values.statuspage $metric).metricId) -}}
{{- $sentence := "statuspage.%s.metricId is empty: without a keeper %s sends its numbers there, so set it, or set %s.enabled to false" -}}
{{- $wrong = append $wrong (printf $sentence $metric $job $job) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.bandwidth.settings.DATA_BUDGET (not .Values.state.enabled) -}}
{{- $wrong = append $wrong "bandwidth.settings.DATA_BUDGET is set, but nothing remembers what past runs used: set state.enabled to true, or leave it out" -}}
{{- end -}}
{{- else -}}
{{- range $name := list "METRIC_ID_LOSS" "METRIC_ID_JITTER" "METRIC_ID_UPLOAD" -}}
{{- range $job := list "ping" "bandwidth" -}}
{{- if hasKey (index $.Values $job).settings $name -}}
{{- $wrong = append $wrong (printf "%s.settings.%s is set beside a keeper, which knows by itself what feeds a metric: list the metric in keeper.metrics instead" $job $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{- define "porchlight.refusals.page" -}}
{{- $wrong := list -}}
{{- $ours := .Values.keeper.page.id -}}
{{- if and $ours .Values.statuspage.pageId (ne $ours .Values.statuspage.pageId) -}}
{{- $wrong = append $wrong "keeper.page.id and statuspage.pageId differ: with a page at statuspage.io the keeper's has the same id, so leave keeper.page.id out" -}}
{{- end -}}
{{- $ids := list .Values.statuspage.componentId | compact -}}
{{- range .Values.keeper.components }}{{ $ids = append $ids .id }}{{ end -}}
{{- if ne (len $ids) (len (uniq $ids)) -}}
{{- $wrong = append $wrong "keeper.components: two components have the same id (statuspage.componentId is one of them already)" -}}
{{- end -}}
{{- $ids = list .Values.statuspage.latency.metricId .Values.statuspage.bandwidth.metricId | compact -}}
{{- range .Values.keeper.metrics }}{{ $ids = append $ids .id }}{{ end -}}
{{- if ne (len $ids) (len (uniq $ids)) -}}
{{- $wrong = append $wrong "keeper.metrics: two metrics have the same id (statuspage.latency.metricId and statuspage.bandwidth.metricId are there already)" -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{- define "porchlight.refusals.keeper" -}}
{{- $wrong := list -}}
{{- $ingress := .Values.keeper.ingress -}}
{{- if and $ingress.enabled (not .Values.keeper.enabled) -}}
{{- $wrong = append $wrong "keeper.ingress.enabled is true, but keeper.enabled is false: there is no page to be reached" -}}
{{- end -}}
{{- if and .Values.keeper.tls.enabled (not .Values.keeper.enabled) -}}
{{- $wrong = append $wrong "keeper.tls.enabled is true, but keeper.enabled is false: there is nothing to be reached" -}}
{{- end -}}
{{- if and .Values.export.enabled (not .Values.keeper.enabled) -}}
{{- $wrong = append $wrong "export.enabled is true, but keeper.enabled is false: there is nothing to be exported" -}}
{{- end -}}
{{- if and .Values.metrics.prometheusRule.enabled (not .Values.keeper.enabled) -}}
{{- $wrong = append $wrong "metrics.prometheusRule.enabled is true, but keeper.enabled is false: the alerts are on what the keeper knows, and would ring for its absence" -}}
{{- end -}}
{{- if and $ingress.enabled (has (index (splitList "/" $ingress.path) 1) (list "api" "badge" "history" "incidents" "logo" "porchlight" "report" "widget")) -}}
{{- $wrong = append $wrong (printf "keeper.ingress.path is %s, which is an address of the page itself: choose another one, like /status" $ingress.path) -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{- define "porchlight.refusals.relay" -}}
{{- $wrong := list -}}
{{- if not .Values.statuspage.pageId -}}
{{- range $kind := list "components" "metrics" -}}
{{- range index $.Values.keeper $kind -}}
{{- if .relay -}}
{{- $wrong = append $wrong (printf "keeper.%s: %s has relay: true, and statuspage.pageId is empty: set the id of the page to relay to, or leave relay out" $kind .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{/* Every address, set or by default, is at a port that the pods may connect to. ping is not held back, and name servers are
at 53. */}}
{{- define "porchlight.refusals.ports" -}}
{{- $wrong := list -}}
{{- if .Values.networkPolicy.enabled -}}
{{- $set := list -}}
{{- $usual := dict "DUCKDNS_URL" "https://www.duckdns.org" "ADDRESS_SOURCES" "https://api.ipify.org" -}}
{{- $speed := .Values.bandwidth.settings -}}
{{- if and .Values.bandwidth.enabled (not (or (hasPrefix "http" ($speed.SOURCE | default "auto")) $speed.FAST_URL $speed.CLOUDFLARE_URL)) -}}
{{- $set = append $set (list "bandwidth.settings.SOURCE" "https://fast.com") -}}
{{- end -}}
{{- if or (include "porchlight.relayed" .) (and (include "porchlight.direct" .) (or .Values.bandwidth.enabled (include "porchlight.checks.apart" .))) -}}
{{- $set = append $set (list "statuspage.url" (.Values.statuspage.url | default "https://api.statuspage.io/v1")) -}}
{{- end -}}
{{- range $job, $names := dict "dns" (list "DUCKDNS_URL" "ADDRESS_SOURCES" "ADDRESS_SOURCES_V6") "port" (list "ADDRESS_SOURCES") "bandwidth" (list "SOURCE" "FAST_URL" "CLOUDFLARE_URL") -}}
{{- if (index $.Values $job).enabled -}}
{{- range $name := $names -}}
{{- range get (index $.Values $job).settings $name | default (get $usual $name) | splitList "," -}}
{{- $set = append $set (list (printf "%s.settings.%s" $job $name) (trim .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $set = append $set (list "dyndns.url" .Values.dyndns.url) -}}
{{- $open := list -}}
{{- range .Values.networkPolicy.ports }}{{ $open = append $open (toString (int64 .)) }}{{ end -}}
{{- range $set -}}
{{- if regexMatch "^https?://" (index . 1) -}}
{{- $url := urlParse (index . 1) -}}
{{- $port := trimPrefix ":" (regexFind ":[0-9]+$" $url.host) | default (eq $url.scheme "https" | ternary "443" "80") -}}
{{- if not (has $port $open) -}}
{{- $wrong = append $wrong (printf "%s is at port %s, which networkPolicy.ports keeps away: add %s there" (index . 0) $port $port) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.dns.enabled -}}
{{- range get .Values.dns.settings "PUBLIC_DNS" | default "" | splitList "," -}}
{{- $port := trimPrefix ":" (regexFind ":[0-9]+$" (trim .)) -}}
{{- if and (regexMatch "^([0-9.]+|\\[.*\\]):[0-9]+$" (trim .)) (ne $port "53") -}}
{{- $wrong = append $wrong (printf "dns.settings.PUBLIC_DNS asks at port %s, and the pods reach name servers at port 53 alone: leave the port out" $port) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- uniq $wrong | toJson -}}
{{- end }}

{{/* Where there is a cluster to ask: what it holds already. */}}
{{- define "porchlight.refusals.cluster" -}}
{{- $wrong := list -}}
{{- $name := include "porchlight.name" . -}}
{{- $port := int64 .Values.service.nodePort -}}
{{- range (lookup "v1" "Service" .Release.Namespace "").items -}}
{{- $service := .metadata.name -}}
{{- if ne $service (printf "%s-beacon" $name) -}}
{{- range .spec.ports -}}
{{- if and .nodePort (eq (int64 .nodePort) $port) -}}
{{- $wrong = append $wrong (printf "service.nodePort %d is already that of the Service %s in this namespace: choose another one from 30000 to 32767 for this release, or uninstall the other (the old chart cannot be upgraded, only uninstalled)" $port $service) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $there := lookup "apps/v1" "StatefulSet" .Release.Namespace (printf "%s-keeper" $name) -}}
{{- /* At an install its pod waits for the Secret. A keeper that runs already would be gone meanwhile, and what is measured lost. */ -}}
{{- if and $there (include "porchlight.relayed" .) (not .Values.statuspage.token) -}}
{{- $secret := include "porchlight.secret.statuspage" . -}}
{{- if not (dig "data" "TOKEN" "" (lookup "v1" "Secret" .Release.Namespace $secret | default dict)) -}}
{{- $make := printf "kubectl -n %s create secret generic %s --from-file=TOKEN=statuspage.token" .Release.Namespace $secret -}}
{{- $wrong = append $wrong (printf "statuspage.pageId is set, so the keeper relays to that page, but there is no Secret %s with the API key in TOKEN: make it (%s), or set keeper.relay to false" $secret $make) -}}
{{- end -}}
{{- end -}}
{{- $secret := .Values.keeper.notify.secretName -}}
{{- if and $there (include "porchlight.notices" .) $secret -}}
{{- if not (dig "data" "URLS" "" (lookup "v1" "Secret" .Release.Namespace $secret | default dict)) -}}
{{- $make := printf "kubectl -n %s create secret generic %s --from-file=URLS=notify.urls" .Release.Namespace $secret -}}
{{- $wrong = append $wrong (printf "keeper.notify.secretName is set, but there is no Secret %s with the channels in URLS: make it (%s), or leave the name out" $secret $make) -}}
{{- end -}}
{{- end -}}
{{- $secret := .Values.keeper.pinglow.secretName -}}
{{- if and $there .Values.keeper.enabled $secret -}}
{{- if not (dig "data" "API_KEY" "" (lookup "v1" "Secret" .Release.Namespace $secret | default dict)) -}}
{{- $make := printf "kubectl -n %s create secret generic %s --from-file=API_KEY=api.key" .Release.Namespace $secret -}}
{{- $wrong = append $wrong (printf "keeper.pinglow.secretName is set, but there is no Secret %s with the key of Pinglow's clients in API_KEY: make it (%s), or leave the name out" $secret $make) -}}
{{- end -}}
{{- end -}}
{{- if and $there .Values.keeper.enabled -}}
{{- $claims := dig "spec" "volumeClaimTemplates" list $there -}}
{{- $was := dict "existingClaim" "" "size" "" "storageClassName" "" -}}
{{- with $claims -}}
{{- $spec := (first .).spec -}}
{{- $was = dict "existingClaim" "" "size" $spec.resources.requests.storage "storageClassName" ($spec.storageClassName | default "") -}}
{{- else -}}
{{- range dig "spec" "template" "spec" "volumes" list $there -}}
{{- if eq .name "data" }}{{ $was = set $was "existingClaim" (dig "persistentVolumeClaim" "claimName" "" .) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $claimed := .Values.keeper.storage.existingClaim -}}
{{- range $part := empty $claimed | not | ternary (list "existingClaim") (list "existingClaim" "size" "storageClassName") -}}
{{- $now := index $.Values.keeper.storage $part -}}
{{- if and (ne $now (index $was $part)) (not (and $claimed (not $claims))) -}}
{{- $wrong = append $wrong (printf "keeper.storage.%s was %q at the install and is now %q: Kubernetes cannot change it, so set it back" $part (index $was $part) $now) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- /* The cluster writes its default where none was given, so only another name is known to be another one. */ -}}
{{- $state := lookup "v1" "PersistentVolumeClaim" .Release.Namespace (printf "%s-state" $name) -}}
{{- $class := .Values.state.storageClassName -}}
{{- if and $state $class (not .Values.state.existingClaim) (not .Values.keeper.enabled) .Values.state.enabled -}}
{{- $was := dig "spec" "storageClassName" "" $state -}}
{{- if ne $was $class -}}
{{- $wrong = append $wrong (printf "state.storageClassName was %q at the install and is now %q: Kubernetes cannot change it, so set it back, or delete the claim %s-state, which holds the data budget of this month and little else" $was $class $name) -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}
