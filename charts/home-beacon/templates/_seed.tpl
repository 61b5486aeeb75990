{{/*
The keeper's seed: page, components and metrics, with ids that are the user's or always the same. JSON's strings are TOML's.
*/}}

{{/* An id as statuspage.io has them, always the same for this release. Takes a list: the context, what it is for. */}}
{{- define "porchlight.id" -}}
{{- printf "%s/%s/%s" (index . 0).Release.Namespace (index . 0).Release.Name (index . 1) | sha256sum | trunc 12 -}}
{{- end }}

{{- define "porchlight.pageId" -}}
{{- .Values.keeper.page.id | default .Values.statuspage.pageId | default (include "porchlight.id" (list . "page")) -}}
{{- end }}

{{/* The same for what is on the page. With another page it is another id: a keeper lets nothing move from page to page. */}}
{{- define "porchlight.idOnPage" -}}
{{- include "porchlight.id" (list (index . 0) (printf "%s/%s" (include "porchlight.pageId" (index . 0)) (index . 1))) -}}
{{- end }}

{{/* The home's component. Nothing where the page is statuspage.io's and its id is not told: it must not be invented. */}}
{{- define "porchlight.componentId" -}}
{{- if .Values.statuspage.componentId }}{{ .Values.statuspage.componentId }}
{{- else if not .Values.statuspage.pageId }}{{ include "porchlight.idOnPage" (list . "component") }}{{ end -}}
{{- end }}

{{- define "porchlight.seed" -}}
{{- $root := . -}}
{{- $components := .Values.keeper.components -}}
{{- with include "porchlight.componentId" . -}}
{{- $components = prepend $components (dict "id" . "name" "Home internet") -}}
{{- end -}}
{{- $metrics := list -}}
{{- if .Values.ping.enabled -}}
{{- $id := .Values.statuspage.latency.metricId | default (include "porchlight.idOnPage" (list . "latency")) -}}
{{- $metrics = append $metrics (dict "id" $id "name" "Latency" "suffix" "ms" "decimal_places" 1 "reading" "ping") -}}
{{- end -}}
{{- if .Values.bandwidth.enabled -}}
{{- $id := .Values.statuspage.bandwidth.metricId | default (include "porchlight.idOnPage" (list . "bandwidth")) -}}
{{- $metrics = append $metrics (dict "id" $id "name" "Bandwidth" "suffix" "Mbit/s" "decimal_places" 0 "reading" "bandwidth") -}}
{{- end -}}
[page]
id = {{ include "porchlight.pageId" . | toJson }}
name = {{ .Values.keeper.page.name | toJson }}
{{- with .Values.keeper.page.description }}
description = {{ toJson . }}
{{- end }}
{{- with .Values.keeper.page.url }}
url = {{ toJson . }}
{{- end }}
time_zone = {{ .Values.timeZone | toJson }}
{{- range $components }}

[[components]]
{{- include "porchlight.seed.fields" . }}
{{- end }}
{{- range concat $metrics .Values.keeper.metrics }}

[[metrics]]
{{- include "porchlight.seed.fields" . }}
{{- end }}
{{ end }}

{{- define "porchlight.seed.fields" -}}
{{- range $name, $value := . }}
{{ $name }} = {{ kindIs "float64" $value | ternary (int64 $value) $value | toJson }}
{{- end }}
{{- end }}
