{{/*
Checks: what defines them and where they run, and what of that cannot be.
*/}}

{{/* Whether they run in an image of the user's, which is asked for scripts. */}}
{{- define "porchlight.checks.image" -}}
{{- if .Values.checks.image.repository }}true{{ end -}}
{{- end }}

{{/* Whether there are limits to where they may connect. */}}
{{- define "porchlight.checks.apart" -}}
{{- with .Values.checks }}{{ if and .enabled (or .egress.to .egress.ports) }}true{{ end }}{{ end -}}
{{- end }}

{{/* The Secrets that it needs as the jobs do, as a JSON list. */}}
{{- define "porchlight.checks.secrets" -}}
{{- list (.Values.keeper.enabled | ternary "keeper" "statuspage") | toJson -}}
{{- end }}

{{/* Volumes are the ConfigMap of this release, that of the user, the secrets that checks.yml names, and what an image of the
user's needs. */}}
{{- define "porchlight.checks.volumes" -}}
{{- $name := include "porchlight.name" . }}
{{- with .Values.checks }}
{{- if or .file .statping }}
- name: checks
  configMap:
    name: {{ $name }}-checks
{{- end }}
{{- with .existingConfigMap }}
- name: own
  configMap:
    name: {{ quote . }}
    items:
      - {key: checks.yml, path: checks.yml}
{{- end }}
{{- with .secrets }}
- name: named
  projected:
    defaultMode: 288
    sources:
      {{- range $variable, $secret := . }}
      - secret:
          name: {{ quote $secret.secretName }}
          items:
            - {key: {{ quote $secret.key }}, path: {{ $variable }}}
      {{- end }}
{{- end }}
{{- end }}
{{- if include "porchlight.checks.image" . }}
- name: programs
  emptyDir: {sizeLimit: 128Mi}
# Plugins write there.
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- end }}
{{- end }}

{{- define "porchlight.checks.mounts" -}}
{{- with .Values.checks }}
{{- if or .file .statping }}
- {name: checks, mountPath: /etc/porchlight/checks, readOnly: true}
{{- end }}
{{- if .existingConfigMap }}
- {name: own, mountPath: /etc/porchlight/own, readOnly: true}
{{- end }}
{{- if .secrets }}
- {name: named, mountPath: /etc/porchlight/named, readOnly: true}
{{- end }}
{{- end }}
{{- if include "porchlight.checks.image" . }}
- {name: programs, mountPath: /programs, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- end }}
{{- end }}

{{- define "porchlight.checks.env" -}}
- name: CHECKS_ADDR
  value: {{ include "porchlight.listen" (list . 9095) | quote }}
{{- with .Values.checks }}
{{- if .file }}
- name: CHECKS_FILE
  value: /etc/porchlight/checks/checks.yml
{{- else if .existingConfigMap }}
- name: CHECKS_FILE
  value: /etc/porchlight/own/checks.yml
{{- end }}
{{- if .statping }}
- name: STATPING_FILE
  value: /etc/porchlight/checks/services.yml
{{- end }}
{{- with .pingTargetUrls }}
- name: PING_TARGET_URLS
  value: {{ join "," . | quote }}
{{- end }}
{{- range $variable, $of := dict "PING_INTERVAL_SECONDS" "pingIntervalSeconds" "CHECKS_CONCURRENCY" "concurrency" }}
{{- with get $.Values.checks $of }}
- name: {{ $variable }}
  value: {{ int64 . | quote }}
{{- end }}
{{- end }}
{{- range $variable, $_ := .secrets }}
- name: {{ $variable }}_FILE
  value: /etc/porchlight/named/{{ $variable }}
{{- end }}
{{- end }}
{{- if .Values.keeper.enabled }}
- name: KEEPER_URL
  value: http://{{ include "porchlight.name" . }}-keeper:8030
{{ include "porchlight.secret.env" (list "KEEPER_TOKEN" "keeper" "TOKEN") }}
{{- else }}
{{- with .Values.statuspage.url }}
- name: STATUSPAGE_URL
  value: {{ quote . }}
{{- end }}
- name: PAGE_ID
  value: {{ .Values.statuspage.pageId | quote }}
{{ include "porchlight.secret.env" (list "STATUSPAGE_TOKEN" "statuspage" "TOKEN") }}
{{- end }}
{{- with include "porchlight.settings" .Values.checks.settings }}
{{ trim . }}
{{- end }}
{{- end }}

{{- define "porchlight.refusals.checks" -}}
{{- $wrong := list -}}
{{- $checks := .Values.checks -}}
{{- if $checks.enabled -}}
{{- if and $checks.file $checks.existingConfigMap -}}
{{- $wrong = append $wrong "checks.file and checks.existingConfigMap are both set: keep the text of checks.yml, or the name of the ConfigMap that holds it" -}}
{{- end -}}
{{- if not (or $checks.file $checks.existingConfigMap $checks.statping $checks.pingTargetUrls) -}}
{{- $wrong = append $wrong "checks.enabled is true, but nothing says what is to be checked: set checks.file to the text of checks.yml (--set-file checks.file=checks.yml), or checks.existingConfigMap to the name of a ConfigMap that holds it" -}}
{{- end -}}
{{- $long := add (len $checks.file) (len $checks.statping) -}}
{{- if gt (int64 $long) 1000000 -}}
{{- $wrong = append $wrong (printf "checks.file and checks.statping have %d bytes together, and a ConfigMap holds a million: take out what is not needed, or put it into one of your own (checks.existingConfigMap)" $long) -}}
{{- end -}}
{{- $image := $checks.image -}}
{{- if and $image.repository (not (or $image.tag $image.digest)) -}}
{{- $wrong = append $wrong (printf "checks.image.tag is empty: name the tag of %s, or its digest" $image.repository) -}}
{{- else if and (not $image.repository) (or $image.tag $image.digest) -}}
{{- $wrong = append $wrong "checks.image.repository is empty: name the image that scripts run in, or leave its tag and digest out" -}}
{{- end -}}
{{- range $of := list "file" "statping" -}}
{{- /* What this reads is not what the program does: whether the checks are right, that says itself. */ -}}
{{- $read := get $checks $of | fromYaml -}}
{{- if hasKey $read "Error" -}}
{{- $why := contains "cannot unmarshal" $read.Error | ternary "it is no mapping, which begins with a word and a colon" (trimPrefix "error converting YAML to JSON: " $read.Error) -}}
{{- $wrong = append $wrong (printf "checks.%s cannot be read: %s" $of $why) -}}
{{- else if and (eq $of "file") (not $image.repository) -}}
{{- /* Not seen here are the scripts of a ConfigMap of the user's: the program says there itself that a script is not there. */ -}}
{{- $scripts := list -}}
{{- range kindIs "slice" $read.checks | ternary $read.checks list -}}
{{- if and (kindIs "map" .) (hasKey . "script") }}{{ $scripts = append $scripts (.name | default "one without a name" | toString) }}{{ end -}}
{{- end -}}
{{- if $scripts -}}
{{- $wrong = append $wrong (printf "checks.file has scripts (%s), and Porchlight's image has neither a shell nor plugins: set checks.image.repository and its tag to an image that has what they need" (join ", " $scripts)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := $checks.secrets -}}
{{- if not (regexMatch "^[A-Z_][A-Z0-9_]{0,99}$" $name) -}}
{{- $wrong = append $wrong (printf "checks.secrets has the name %q: write it with capital letters, digits and _, as in NAS_PASSWORD, here and in checks.yml" $name) -}}
{{- else if has $name (list "CHECKS" "STATPING" "KEEPER_TOKEN" "STATUSPAGE_TOKEN") -}}
{{- $wrong = append $wrong (printf "checks.secrets.%s is a name that Porchlight has in use itself (%s_FILE): give that secret another one, here and in checks.yml" $name $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}
