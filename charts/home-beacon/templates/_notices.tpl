{{/*
Notices: the channels that the keeper writes to, and the ports at which these are. Their forms are those of infra/NOTICES.md; the
keeper reads them once more, and says what else is wrong with one. Nothing here repeats an address: it is a secret.
*/}}

{{/* Whether the keeper has channels. */}}
{{- define "porchlight.notices" -}}
{{- if and .Values.keeper.enabled (include "porchlight.secret.notify" .) }}true{{ end -}}
{{- end }}

{{/* Whether it has, or may get, any: objects of the cluster are channels, too. */}}
{{- define "porchlight.notices.any" -}}
{{- if or (include "porchlight.notices" .) (and .Values.keeper.enabled .Values.operator.enabled) }}true{{ end -}}
{{- end }}

{{/* What is set beside the channels, as JSON: variables and their values. */}}
{{- define "porchlight.notices.settings" -}}
{{- $settings := dict -}}
{{- range $name, $of := dict "NOTIFY_EVERY" "every" "NOTIFY_QUIET" "quiet" "NOTIFY_LIMIT" "limit" "NOTIFY_LOSS" "loss" -}}
{{- $value := get $.Values.keeper.notify $of -}}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}{{ $_ := set $settings $name $value }}{{ end -}}
{{- end -}}
{{- if .Values.keeper.notify.seriousAnytime }}{{ $_ := set $settings "NOTIFY_SERIOUS_ANYTIME" true }}{{ end -}}
{{- toJson $settings -}}
{{- end }}

{{/* The port of one address; 0 where it is none that we know. Those of a service without a server of its own have none, but may
name another server. */}}
{{- define "porchlight.notices.port" -}}
{{- $scheme := regexFind "^[A-Za-z+]+://" . | trimSuffix "://" | lower -}}
{{- $host := regexFind "://[^/?#]*" . | trimPrefix "://" | splitList "@" | last -}}
{{- $query := regexFind "\\?[^#]*" . -}}
{{- $usual := dict "https" "443" "http" "80" "smtps" "465" "smtp" "587" "ntfy" "443" "ntfy+http" "80" "gotify" "443" "gotify+http" "80" "alertmanager+https" "443" "alertmanager+http" "80" "json+https" "443" "json+http" "80" "apprises" "443" "apprise" "80" "healthchecks+https" "443" "healthchecks+http" "80" -}}
{{- if has $scheme (list "telegram" "discord" "slack" "pushover") -}}
{{- $server := regexFind "[?&]server=[^&]*" $query | replace "%3A" ":" | replace "%3a" ":" | replace "%2F" "/" | replace "%2f" "/" -}}
{{- $server = regexReplaceAll "^[?&]server=" $server "" | default "https://" -}}
{{- $scheme = regexFind "^(?i:https?)://" $server | trimSuffix "://" | lower -}}
{{- $host = regexFind "://[^/?#]*" $server -}}
{{- else if has $scheme (list "http" "https") -}}
{{- $scheme = "" -}}
{{- else if and (eq $scheme "smtp") (regexMatch "[?&]encryption=(?i:tls|implicittls)(&|$)" $query) -}}
{{- $scheme = "smtps" -}}
{{- end -}}
{{- $port := regexFind ":[0-9]+$" $host | trimPrefix ":" | default (get $usual $scheme) | atoi -}}
{{- and (hasKey $usual $scheme) (le $port 65535) | ternary $port 0 -}}
{{- end }}

{{/* The ports of the addresses in keeper.notify.urls, as JSON: lists of a line's number and its port. */}}
{{- define "porchlight.notices.lines" -}}
{{- $found := list -}}
{{- range $at, $line := splitList "\n" .Values.keeper.notify.urls -}}
{{- $line = trim $line -}}
{{- if and $line (not (hasPrefix "#" $line)) -}}
{{- $found = append $found (list (add1 $at) (include "porchlight.notices.port" $line | atoi)) -}}
{{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end }}

{{/* The ports that channels need besides networkPolicy.ports, as JSON. */}}
{{- define "porchlight.notices.ports" -}}
{{- $notify := .Values.keeper.notify -}}
{{- $needed := list -}}
{{- if include "porchlight.notices" . -}}
{{- $needed = $notify.ports -}}
{{- range include "porchlight.notices.lines" . | fromJsonArray }}{{ $needed = append $needed (index . 1) }}{{ end -}}
{{- if not $needed }}{{ $needed = list 443 }}{{ end -}}
{{- end -}}
{{- if .Values.operator.enabled -}}
{{- /* Of TelegramChannel objects. */ -}}
{{- $server := .Values.operator.settings.TELEGRAM_SERVER | default "https://api.telegram.org" | urlParse -}}
{{- $needed = append $needed (regexFind ":[0-9]+$" $server.host | trimPrefix ":" | default (eq $server.scheme "https" | ternary "443" "80") | atoi) -}}
{{- end -}}
{{- $open := list -}}
{{- range .Values.networkPolicy.ports }}{{ $open = append $open (int64 .) }}{{ end -}}
{{- /* With leading zeros, so that they are sorted as numbers. */ -}}
{{- $sorted := list -}}
{{- range $needed }}{{ if not (has (int64 .) $open) }}{{ $sorted = append $sorted (printf "%05d" (int64 .)) }}{{ end }}{{ end -}}
{{- $ports := list -}}
{{- range $sorted | uniq | sortAlpha }}{{ $ports = append $ports (atoi .) }}{{ end -}}
{{- toJson $ports -}}
{{- end }}

{{- define "porchlight.refusals.notices" -}}
{{- $wrong := list -}}
{{- $notify := .Values.keeper.notify -}}
{{- $channels := ternary "urls" "secretName" (not (empty $notify.urls)) -}}
{{- if and (include "porchlight.secret.notify" .) (not .Values.keeper.enabled) -}}
{{- $wrong = append $wrong (printf "keeper.notify.%s is set, but keeper.enabled is false: there is nothing that sends notices" $channels) -}}
{{- end -}}
{{- if and .Values.keeper.pinglow.secretName (not .Values.keeper.enabled) -}}
{{- $wrong = append $wrong "keeper.pinglow.secretName is set, but keeper.enabled is false: there is nothing that has Pinglow's API" -}}
{{- end -}}
{{- if not (or (include "porchlight.secret.notify" .) .Values.operator.enabled) -}}
{{- $set := list -}}
{{- range $of := list "ports" "every" "quiet" "seriousAnytime" "limit" "loss" -}}
{{- $value := get $notify $of -}}
{{- if or (eq (kindOf $value) "float64" "int64") $value }}{{ $set = append $set $of }}{{ end -}}
{{- end -}}
{{- if $set -}}
{{- $wrong = append $wrong (printf "keeper.notify has %s, but no channel: set keeper.notify.secretName or keeper.notify.urls, or leave the rest out" (join ", " $set)) -}}
{{- end -}}
{{- end -}}
{{- if $notify.urls -}}
{{- $lines := include "porchlight.notices.lines" . | fromJsonArray -}}
{{- if not $lines -}}
{{- $wrong = append $wrong "keeper.notify.urls holds no address: write one a line, as in ntfy://ntfy.sh/TOPIC, or leave it out" -}}
{{- end -}}
{{- $unknown := list -}}
{{- range $lines }}{{ if not (index . 1) }}{{ $unknown = append $unknown (printf "line %v" (index . 0)) }}{{ end }}{{ end -}}
{{- if $unknown -}}
{{- $wrong = append $wrong (printf "keeper.notify.urls holds what is no channel: %s; each begins with the name of a service, as in ntfy://ntfy.sh/TOPIC, and a port is a number from 1 to 65535 (infra/NOTICES.md lists the services)" (join ", " $unknown)) -}}
{{- end -}}
{{- end -}}
{{- if and $notify.seriousAnytime (or (include "porchlight.secret.notify" .) .Values.operator.enabled) (not $notify.quiet) -}}
{{- $wrong = append $wrong "keeper.notify.seriousAnytime is true, but keeper.notify.quiet is empty: there are no quiet hours, so set them, or leave it out" -}}
{{- end -}}
{{- with $notify.quiet -}}
{{- $hours := splitList " " . | first | splitList "-" -}}
{{- $zone := splitList " " . | rest -}}
{{- /* 7:00 is 07:00. */ -}}
{{- if eq (index $hours 0 | trimPrefix "0") (index $hours 1 | trimPrefix "0") -}}
{{- $wrong = append $wrong (printf "keeper.notify.quiet is %s, which ends when it begins: leave it out for no quiet hours" .) -}}
{{- end -}}
{{- if $zone -}}
{{- $wrong = concat $wrong (include "porchlight.refusals.zone.of" (list $ "keeper.notify.quiet: the zone" (first $zone)) | fromJsonArray) -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{/* Homes that tell the cloud of themselves. */}}
{{- define "porchlight.refusals.heartbeat" -}}
{{- $wrong := list -}}
{{- if .Values.heartbeat.enabled -}}
{{- if not .Values.keeper.enabled -}}
{{- $wrong = append $wrong "heartbeat.enabled is true, but keeper.enabled is false: it is the keeper that sends heartbeats" -}}
{{- end -}}
{{- if not .Values.heartbeat.secretName -}}
{{- $make := printf "kubectl -n %s create secret generic heartbeat --from-file=URL=heartbeat.url" .Release.Namespace -}}
{{- $wrong = append $wrong (printf "heartbeat.enabled is true, but heartbeat.secretName is empty: make a Secret with the address of the stack's heartbeat function in URL (%s), and name it" $make) -}}
{{- end -}}
{{- if not (include "porchlight.secret.beacon" .) -}}
{{- $wrong = append $wrong "heartbeat.enabled is true, but the beacon has no key, and heartbeats are signed with it: set beacon.secretName" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.port.enabled (not .Values.beacon.probed) -}}
{{- $wrong = append $wrong "port.enabled is true, but beacon.probed is false: there is no port of the node for the router to lead to" -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}
