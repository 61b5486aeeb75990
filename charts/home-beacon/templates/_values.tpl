{{/*
A section that is emptied ("keeper:" with nothing below it) is one that Helm takes away, defaults and all. What is meant are
its defaults, so each file of this chart begins with putting them back. They are in files/defaults.yaml, because Helm shows
values.yaml to nothing.
*/}}
{{- define "porchlight.defaults" -}}
{{- include "porchlight.defaults.below" (list .Values (.Files.Get "files/defaults.yaml" | fromYaml)) -}}
{{- end }}

{{/* Takes a list: values, which are filled up in place, and defaults. Who empties one of the settings, or one of the limits
of a pod, wants it gone; Helm leaves those that have no default. */}}
{{- define "porchlight.defaults.below" -}}
{{- $values := index . 0 -}}
{{- range $name, $default := index . 1 -}}
{{- $value := get $values $name -}}
{{- if or (not (hasKey $values $name)) (kindIs "invalid" $value) -}}
{{- $_ := set $values $name $default -}}
{{- else if has $name (list "settings" "resources") -}}
{{- include "porchlight.defaults.bare" $value -}}
{{- else if kindIs "map" $default -}}
{{- include "porchlight.defaults.below" (list $value $default) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Removes what is emptied. Takes a map. */}}
{{- define "porchlight.defaults.bare" -}}
{{- $values := . -}}
{{- range $name, $value := . -}}
{{- if kindIs "invalid" $value }}{{ $_ := unset $values $name }}
{{- else if kindIs "map" $value }}{{ include "porchlight.defaults.bare" $value }}{{ end -}}
{{- end -}}
{{- end }}
