{{/*
What all pods have in common: Pod Security "restricted", one image, nothing of the cluster's own.
*/}}

{{/* Takes a list: the context, and a list of sysctls. */}}
{{- define "porchlight.pod" -}}
{{- $values := (index . 0).Values -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  # For volumes that belong to root, and for the files of secrets.
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
  {{- with index . 1 }}
  sysctls:
    {{- toYaml . | nindent 4 }}
  {{- end }}
dnsConfig:
  options:
    # A name with a dot is looked up as it is: not below every search domain first, some of which a home router answers for.
    - {name: ndots, value: "1"}
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ quote . }}
  {{- end }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ quote . }}
{{- end }}
{{- end }}

{{/* Takes a list: the context, the program. */}}
{{- define "porchlight.container" -}}
{{- $root := index . 0 -}}
{{- include "porchlight.image" (list $root.Values.image $root.Chart.AppVersion) }}
command: [/usr/local/bin/{{ index . 1 }}]
{{ include "porchlight.confined" . }}
{{- end }}

{{/* Takes a list: an image of the values, and its tag where they have none. */}}
{{- define "porchlight.image" -}}
{{- $tag := index . 1 -}}
{{- with index . 0 -}}
image: "{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $tag }}{{ end }}"
imagePullPolicy: {{ .pullPolicy }}
{{- end }}
{{- end }}

{{/* What no container may. */}}
{{- define "porchlight.confined" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
# A program that refuses its settings says why in one sentence: kubectl describe shows it.
terminationMessagePolicy: FallbackToLogsOnError
{{- end }}

{{/* The sysctls of a pod that pings, as a JSON list. They let our group send echoes without any privilege; "restricted" allows it,
and no node has to be changed. */}}
{{- define "porchlight.echoes" -}}
{{- list (dict "name" "net.ipv4.ping_group_range" "value" "65532 65532") | toJson -}}
{{- end }}

{{/* Where a server listens. Takes a list: the context, the port. */}}
{{- define "porchlight.listen" -}}
{{ (index . 0).Values.ipv6 | ternary "[::]" "0.0.0.0" }}:{{ index . 1 }}
{{- end }}

{{/* Further settings of a program, as variables. Numbers come as floats, and whole ones would be written 5e+08. */}}
{{- define "porchlight.settings" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ and (kindIs "float64" $value) (eq (int64 $value | float64 | toString) (toString $value)) | ternary (int64 $value) $value | toString | quote }}
{{- end }}
{{- end }}
