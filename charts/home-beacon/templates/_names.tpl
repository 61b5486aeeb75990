{{/*
Names and labels. Everything is named by the release, so that several fit into one namespace.
*/}}

{{/* The first part of each name: the release's, as a Service may be called. Cut where a CronJob's name or a StatefulSet's
revision label would become too long; a hash stands for what was cut off. */}}
{{- define "porchlight.name" -}}
{{- $name := .Release.Name | replace "." "-" -}}
{{- if not (regexMatch "^[a-z]" $name) }}{{ $name = printf "home-%s" $name }}{{ end -}}
{{- if or (gt (len $name) 40) (ne $name .Release.Name) -}}
{{- $name = printf "%s-%s" ($name | trunc 33 | trimSuffix "-") (sha256sum .Release.Name | trunc 6) -}}
{{- end -}}
{{- $name -}}
{{- end }}

{{/* The labels that select the pods of a component. They can never be changed. Takes a list: the context, the component. */}}
{{- define "porchlight.selector" -}}
app.kubernetes.io/name: home-beacon
app.kubernetes.io/instance: {{ (index . 0).Release.Name | quote }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* All labels of an object. */}}
{{- define "porchlight.labels" -}}
{{ include "porchlight.selector" . }}
app.kubernetes.io/part-of: porchlight
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Name, namespace and labels. Takes a list: the context, the component, the name's last part; and the namespace, where it is not the
release's. */}}
{{- define "porchlight.metadata" -}}
name: {{ include "porchlight.name" (index . 0) }}-{{ index . 2 }}
namespace: {{ gt (len .) 3 | ternary (last .) (index . 0).Release.Namespace | quote }}
labels:
  {{- include "porchlight.labels" . | nindent 2 }}
{{- end }}
