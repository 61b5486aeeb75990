{{/*
Which Secret holds what, and how programs find it: always as a file, so that a new value needs no restart.
*/}}

{{- define "porchlight.secret.beacon" -}}
{{- if .Values.beacon.key }}{{ include "porchlight.name" . }}-beacon-key{{ else }}{{ .Values.beacon.secretName }}{{ end -}}
{{- end }}

{{/* Whether the keeper asks the beacon for looks: only one with a key knows which requests a prober signed. */}}
{{- define "porchlight.beacon.looks" -}}
{{- if and .Values.keeper.enabled (include "porchlight.secret.beacon" .) }}true{{ end -}}
{{- end }}

{{- define "porchlight.secret.keeper" -}}
{{- .Values.keeper.secretName | default (printf "%s-keeper-token" (include "porchlight.name" .)) -}}
{{- end }}

{{- define "porchlight.secret.duckdns" -}}
{{- if .Values.duckdns.token }}{{ include "porchlight.name" . }}-duckdns
{{- else }}{{ .Values.duckdns.secretName | default "duckdns" }}{{ end -}}
{{- end }}

{{- define "porchlight.secret.dyndns" -}}
{{- .Values.dyndns.secretName -}}
{{- end }}

{{- define "porchlight.secret.statuspage" -}}
{{- if .Values.statuspage.token }}{{ include "porchlight.name" . }}-statuspage
{{- else }}{{ .Values.statuspage.secretName | default "statuspage" }}{{ end -}}
{{- end }}

{{/* Nothing where there are no channels. */}}
{{- define "porchlight.secret.notify" -}}
{{- with .Values.keeper.notify -}}
{{- if .urls }}{{ include "porchlight.name" $ }}-notify-urls{{ else }}{{ .secretName }}{{ end -}}
{{- end -}}
{{- end }}

{{- define "porchlight.secret.heartbeat" -}}
{{- .Values.heartbeat.secretName -}}
{{- end }}

{{- define "porchlight.secret.pinglow" -}}
{{- .Values.keeper.pinglow.secretName -}}
{{- end }}

{{/* The variable that names the file. Takes a list: the variable, which secret, the key in it. */}}
{{- define "porchlight.secret.env" -}}
- name: {{ index . 0 }}_FILE
  value: /etc/porchlight/{{ index . 1 }}/{{ index . 2 }}
{{- end }}

{{/* Takes a list: which secrets. */}}
{{- define "porchlight.secret.mounts" -}}
{{- range . }}
- name: {{ . }}
  mountPath: /etc/porchlight/{{ . }}
  readOnly: true
{{- end }}
{{- end }}

{{/* Takes a list: the context, which secrets. Files are the group's alone (0440), which fsGroup makes ours. */}}
{{- define "porchlight.secret.volumes" -}}
{{- $root := index . 0 }}
{{- range index . 1 }}
{{- $key := get (dict "beacon" "KEY" "notify" "URLS" "pinglow" "API_KEY" "heartbeat" "URL" "dyndns" "PASSWORD") . | default "TOKEN" }}
- name: {{ . }}
  secret:
    secretName: {{ include (printf "porchlight.secret.%s" .) $root | quote }}
    defaultMode: 288
    items:
      - {key: {{ $key }}, path: {{ $key }}}
{{- end }}
{{- end }}

{{/* Whether the keeper relays, and so has the API key of statuspage.io. */}}
{{- define "porchlight.relayed" -}}
{{- if and .Values.keeper.enabled .Values.keeper.relay .Values.statuspage.pageId }}true{{ end -}}
{{- end }}

{{/* Whether jobs, or checks, have it. */}}
{{- define "porchlight.direct" -}}
{{- if and (not .Values.keeper.enabled) (or .Values.ping.enabled .Values.bandwidth.enabled .Values.checks.enabled) }}true{{ end -}}
{{- end }}
