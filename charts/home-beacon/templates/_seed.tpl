{{/*
The keeper's seed: page, components and metrics, with ids that are the user's or always the same. JSON's strings are TOML's.
An id that was made here is unknown upstream, so only the user's are relayed; and of the home's component nothing ever is,
because the prober sets its status.
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

{{/* The home's component. Nothing where the page is statuspage.io's and its id is not given: it must not be invented. */}}
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
{{- $latency := dict "name" "Latency" "suffix" "ms" "decimal_places" 1 "reading" "ping" -}}
{{- $metrics = append $metrics (include "porchlight.seed.metric" (list . "latency" $latency) | fromJson) -}}
{{- end -}}
{{- if .Values.bandwidth.enabled -}}
{{- $bandwidth := dict "name" "Bandwidth" "suffix" "Mbit/s" "decimal_places" 0 "reading" "bandwidth" -}}
{{- $metrics = append $metrics (include "porchlight.seed.metric" (list . "bandwidth" $bandwidth) | fromJson) -}}
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
{{- if .Values.keeper.page.logo }}
logo = "logo.svg"
{{- end }}
{{- with .Values.keeper.page.accent }}
accent = {{ toJson . }}
{{- end }}
{{- with .Values.keeper.page.accentDark }}
accent_dark = {{ toJson . }}
{{- end }}
{{- range $components }}

[[components]]
{{- include "porchlight.seed.fields" (list $root .) }}
{{- end }}
{{- range concat $metrics .Values.keeper.metrics }}

[[metrics]]
{{- include "porchlight.seed.fields" (list $root .) }}
{{- end }}
{{ end }}

{{/* One of the metrics of statuspage.latency and statuspage.bandwidth, as JSON. Takes a list: the context, which of them, what
it is. */}}
{{- define "porchlight.seed.metric" -}}
{{- $metric := index . 2 -}}
{{- $id := (index (index . 0).Values.statuspage (index . 1)).metricId -}}
{{- if $id }}{{ $metric = set $metric "relay" true }}{{ end -}}
{{- set $metric "id" ($id | default (include "porchlight.idOnPage" (list (index . 0) (index . 1)))) | toJson -}}
{{- end }}

{{/* Takes a list: the context, the fields. Without a page upstream nothing is relayed. */}}
{{- define "porchlight.seed.fields" -}}
{{- range $name, $value := include "porchlight.relayed" (index . 0) | empty | ternary (omit (index . 1) "relay") (index . 1) }}
{{ $name }} = {{ kindIs "float64" $value | ternary (int64 $value) $value | toJson }}
{{- end }}
{{- end }}
