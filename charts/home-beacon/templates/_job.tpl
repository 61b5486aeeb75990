{{/*
The jobs, which are much the same: as a CronJob, or resident as a Deployment. Everything here takes a list: the context, and
the job's name, which is also that of its program and of its values.
*/}}

{{/* The job, whole. */}}
{{- define "porchlight.job" -}}
{{- $root := index . 0 -}}
{{- $job := index . 1 -}}
{{- $values := index $root.Values $job -}}
{{- if not $values.enabled -}}
{{- else if eq ($values.mode | default "cron") "resident" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "porchlight.metadata" (list $root $job $job) | nindent 2 }}
spec:
  replicas: 1
  revisionHistoryLimit: 2
  # Never two at once.
  strategy: {type: Recreate}
  selector:
    matchLabels:
      {{- include "porchlight.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "porchlight.selector" . | nindent 8 }}
    spec:
      {{- include "porchlight.job.pod" . | nindent 6 }}
{{- else -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  {{- include "porchlight.metadata" (list $root $job $job) | nindent 2 }}
spec:
  schedule: {{ include "porchlight.job.schedule" . | quote }}
  timeZone: {{ $root.Values.timeZone | quote }}
  concurrencyPolicy: Forbid
  # A run that could not begin in time (the node was off) is left out; the next one is near.
  startingDeadlineSeconds: {{ dict "ping" 30 "dns" 120 "bandwidth" 900 | dig $job 60 }}
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 2
  jobTemplate:
    metadata:
      labels:
        {{- include "porchlight.selector" . | nindent 8 }}
    spec:
      # The program tries again within its own time; another pod would only make a gap longer.
      backoffLimit: 0
      # What failed can be looked at for a day, though nothing newer pushes it out.
      ttlSecondsAfterFinished: 86400
      # The program ends itself at its deadline, or 5 s later. The rest of the minute is for starting it, and another one for
      # a START_DELAY, which is 60s at most.
      activeDeadlineSeconds: {{ add $values.deadlineSeconds 60 (hasKey $values.settings "START_DELAY" | ternary 60 0) }}
      template:
        metadata:
          labels:
            {{- include "porchlight.selector" . | nindent 12 }}
        spec:
          {{- include "porchlight.job.pod" . | nindent 10 }}
          restartPolicy: Never
{{- end -}}
{{- end }}

{{/* The old chart's name of a schedule counts where it is set. */}}
{{- define "porchlight.job.schedule" -}}
{{- $values := (index . 0).Values -}}
{{- if eq (index . 1) "ping" }}{{ $values.statuspage.latency.schedule | default $values.ping.schedule }}
{{- else if eq (index . 1) "dns" }}{{ $values.duckdns.schedule | default $values.dns.schedule }}
{{- else }}{{ $values.statuspage.bandwidth.schedule | default $values.bandwidth.schedule }}{{ end -}}
{{- end }}

{{/* The secrets that it needs, as a JSON list. */}}
{{- define "porchlight.job.secrets" -}}
{{- $secrets := list -}}
{{- if eq (index . 1) "dns" }}{{ $secrets = append $secrets "duckdns" }}{{ end -}}
{{- if and (eq (index . 1) "dns") (index . 0).Values.dyndns.url }}{{ $secrets = append $secrets "dyndns" }}{{ end -}}
{{- if (index . 0).Values.keeper.enabled }}{{ $secrets = append $secrets "keeper" }}
{{- else if ne (index . 1) "dns" }}{{ $secrets = append $secrets "statuspage" }}{{ end -}}
{{- toJson $secrets -}}
{{- end }}

{{/* Whether it remembers things by itself. */}}
{{- define "porchlight.job.state" -}}
{{- $values := (index . 0).Values -}}
{{- if and $values.state.enabled (not $values.keeper.enabled) }}true{{ end -}}
{{- end }}

{{- define "porchlight.job.pod" -}}
{{- $root := index . 0 -}}
{{- $job := index . 1 -}}
{{- $values := index $root.Values $job -}}
{{- $secrets := include "porchlight.job.secrets" . | fromJsonArray -}}
{{- $sysctls := eq $job "ping" | ternary (include "porchlight.echoes" $root | fromJsonArray) list -}}
{{- include "porchlight.pod" (list $root $sysctls) }}
terminationGracePeriodSeconds: 10
containers:
  - name: {{ $job }}
    {{- include "porchlight.container" . | nindent 4 }}
    {{- if eq ($values.mode | default "cron") "resident" }}
    args: [--every, {{ $values.every | quote }}]
    {{- end }}
    env:
      {{- include "porchlight.job.env" . | trim | nindent 6 }}
      - name: DEADLINE
        value: {{ printf "%ds" (int64 $values.deadlineSeconds) }}
      {{- with include "porchlight.settings" $values.settings }}
      {{- trim . | nindent 6 }}
      {{- end }}
    resources:
      {{- toYaml $values.resources | nindent 6 }}
    volumeMounts:
      {{- include "porchlight.secret.mounts" $secrets | trim | nindent 6 }}
      {{- if include "porchlight.job.state" . }}
      - {name: state, mountPath: /var/lib/porchlight}
      {{- end }}
volumes:
  {{- include "porchlight.secret.volumes" (list $root $secrets) | trim | nindent 2 }}
  {{- if include "porchlight.job.state" . }}
  - name: state
    persistentVolumeClaim:
      claimName: {{ $root.Values.state.existingClaim | default (printf "%s-state" (include "porchlight.name" $root)) | quote }}
  {{- end }}
{{- end }}

{{- define "porchlight.job.env" -}}
{{- $root := index . 0 -}}
{{- $job := index . 1 -}}
{{- with $root.Values -}}
{{- if eq $job "ping" }}
- name: TARGET_HOST
  value: {{ .statuspage.latency.targetHost | default .ping.targetHost | quote }}
{{- end }}
{{- if eq $job "dns" }}
- name: DOMAIN
  value: {{ .duckdns.domain | quote }}
{{ include "porchlight.secret.env" (list "DUCKDNS_TOKEN" "duckdns" "TOKEN") }}
{{- with .dyndns }}{{ if .url }}
- name: DYNDNS_URL
  value: {{ .url | quote }}
- name: DYNDNS_USER
  value: {{ .user | quote }}
{{ include "porchlight.secret.env" (list "DYNDNS_PASSWORD" "dyndns" "PASSWORD") }}
{{- end }}{{ end }}
{{- end }}
{{- if .keeper.enabled }}
- name: KEEPER_URL
  value: http://{{ include "porchlight.name" $root }}-keeper:8030
{{ include "porchlight.secret.env" (list "KEEPER_TOKEN" "keeper" "TOKEN") }}
{{- else }}
{{- if ne $job "dns" }}
{{- with .statuspage.url }}
- name: STATUSPAGE_URL
  value: {{ quote . }}
{{- end }}
- name: PAGE_ID
  value: {{ .statuspage.pageId | quote }}
- name: METRIC_ID
  value: {{ eq $job "ping" | ternary .statuspage.latency.metricId .statuspage.bandwidth.metricId | quote }}
{{ include "porchlight.secret.env" (list "STATUSPAGE_TOKEN" "statuspage" "TOKEN") }}
{{- end }}
{{- if .state.enabled }}
- name: STATE_DIR
  value: /var/lib/porchlight
{{- end }}
{{- end }}
{{- end }}
{{- end }}
