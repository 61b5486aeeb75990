{{/*
The operator: its image, its settings, what its roles are for, and what of its values cannot be.
*/}}

{{/* The image, whole: the operator's own, and that of the container which brings check-runner to each script's pod. */}}
{{- define "porchlight.operator.image" -}}
{{- $image := .Values.operator.image -}}
{{- $repository := $image.repository | default (printf "%s-operator" .Values.image.repository) -}}
{{- if $image.digest -}}
{{ $repository }}@{{ $image.digest }}
{{- else -}}
{{ $repository }}:{{ $image.tag | default .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* Whether there are limits to where its own pod may connect. */}}
{{- define "porchlight.operator.apart" -}}
{{- with .Values.operator.egress }}{{ if or .to .ports }}true{{ end }}{{ end -}}
{{- end }}

{{/* The label that every pod of a script has. */}}
{{- define "porchlight.operator.scripts" -}}
matchExpressions:
  - {key: porchlight.dev/check, operator: Exists}
{{- end }}

{{- define "porchlight.operator.env" -}}
{{- with .Values.operator -}}
- name: OPERATOR_NAMESPACES
  value: {{ join "," .namespaces | quote }}
- name: OPERATOR_ADDR
  value: {{ include "porchlight.listen" (list $ 9096) | quote }}
- name: OPERATOR_LEASE
  value: {{ $.Release.Namespace }}/{{ include "porchlight.name" $ }}-operator
- name: KEEPER_URL
  value: http://{{ include "porchlight.name" $ }}-keeper:8030
{{ include "porchlight.secret.env" (list "KEEPER_TOKEN" "keeper" "TOKEN") }}
- name: RUNNER_IMAGE
  value: {{ include "porchlight.operator.image" $ | quote }}
{{- with .scripts.bashImage }}
- name: BASH_IMAGE
  value: {{ quote . }}
{{- end }}
{{- with .scripts.pythonImage }}
- name: PYTHON_IMAGE
  value: {{ quote . }}
{{- end }}
{{- with .scripts.packagesClaim }}
- name: PACKAGES_CLAIM
  value: {{ quote . }}
{{- end }}
- name: SCRIPT_MEMORY
  value: {{ .scripts.memory | quote }}
- name: SCRIPT_CPU
  value: {{ .scripts.cpu | quote }}
- name: PINGLOW_EGRESS
  value: {{ .pinglow.egress }}
- name: PINGLOW_SECRETS
  value: {{ .pinglow.secrets | quote }}
- name: CHANNELS_SECRET
  value: {{ include "porchlight.name" $ }}-operator-channels
{{- with include "porchlight.settings" .settings }}
{{ trim . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "porchlight.refusals.operator" -}}
{{- $wrong := list -}}
{{- $operator := .Values.operator -}}
{{- if $operator.enabled -}}
{{- if not .Values.keeper.enabled -}}
{{- $wrong = append $wrong "operator.enabled is true, but keeper.enabled is false: what comes of checks goes to the keeper, so set keeper.enabled to true" -}}
{{- end -}}
{{- if not $operator.namespaces -}}
{{- $wrong = append $wrong "operator.namespaces is empty: name the namespaces whose checks run, like [checks], after making each (kubectl create namespace checks)" -}}
{{- end -}}
{{- if and (has .Release.Namespace $operator.namespaces) (not $operator.ownNamespace) -}}
{{- $wrong = append $wrong (printf "operator.namespaces has %s, which is the release's own: the operator can read every Secret of a namespace that it watches, and here these are the tokens of keeper and beacon, so name another one, like checks, or set operator.ownNamespace to true where that is meant" .Release.Namespace) -}}
{{- end -}}
{{- $image := $operator.image -}}
{{- if and $image.tag $image.digest -}}
{{- $wrong = append $wrong "operator.image.tag and operator.image.digest are both set: keep one of them" -}}
{{- end -}}
{{- range $operator.network.exclude -}}
{{- $length := splitList "/" . | last | atoi -}}
{{- if gt $length (contains ":" . | ternary 128 32) -}}
{{- $wrong = append $wrong (printf "operator.network.exclude has %s, which is no range of addresses: write it as in 203.0.113.0/24" .) -}}
{{- end -}}
{{- end -}}
{{- $wrong = concat $wrong (include "porchlight.refusals.operator.cluster" . | fromJsonArray) -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{/* Where there is a cluster to ask: namespaces that are missing, and definitions that belong to somebody else. Helm would refuse the
first halfway through an install, and the second in words that do not help. */}}
{{- define "porchlight.refusals.operator.cluster" -}}
{{- $wrong := list -}}
{{- $there := list -}}
{{- range append .Values.operator.namespaces .Release.Namespace -}}
{{- if lookup "v1" "Namespace" "" . }}{{ $there = append $there . }}{{ end -}}
{{- end -}}
{{- if $there -}}
{{- range .Values.operator.namespaces -}}
{{- if not (has . $there) -}}
{{- $wrong = append $wrong (printf "operator.namespaces has %s, and there is no such namespace: make it (kubectl create namespace %s), and have it keep to Pod Security's restricted (kubectl label namespace %s pod-security.kubernetes.io/enforce=restricted)" . . .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.operator.crds -}}
{{- $theirs := list -}}
{{- range splitList "\n---\n" (.Files.Get "files/crds.yaml") -}}
{{- $name := (fromYaml .).metadata.name -}}
{{- with lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name -}}
{{- $owner := .metadata.annotations | default dict -}}
{{- $is := list (get $owner "meta.helm.sh/release-name") (get $owner "meta.helm.sh/release-namespace") (get (.metadata.labels | default dict) "app.kubernetes.io/managed-by") -}}
{{- if ne (join "/" $is) (join "/" (list $.Release.Name $.Release.Namespace "Helm")) }}{{ $theirs = append $theirs $name }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if $theirs -}}
{{- $names := join " " $theirs -}}
{{- $own := printf "kubectl annotate --overwrite crd %s meta.helm.sh/release-name=%s meta.helm.sh/release-namespace=%s && kubectl label --overwrite crd %s app.kubernetes.io/managed-by=Helm" $names .Release.Name .Release.Namespace $names -}}
{{- $wrong = append $wrong (printf "the definitions %s are there already and are not this release's: read \"From Pinglow\" in charts/home-beacon/README.md, then have them be its own (%s), or set operator.crds to false and see to them yourself" (join ", " $theirs) $own) -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{/* Names that values of Pinglow's chart have, each with what there is instead. */}}
{{- define "porchlight.refusals.pinglow" -}}
{{- $wrong := list -}}
{{- $sentences := dict "DBEnvFromSecret" "there is no database to name: the keeper keeps what is measured by itself, on the volume of keeper.storage, so remove it" "ApiKeyEnvFromSecret" "its Secret, with the key in API_KEY, is what keeper.pinglow.secretName names, in the release's own namespace: set that instead" "RedisPasswordSecret" "there is no Redis here, because outcomes are read from the pods themselves: remove it" "redis" "there is no Redis here, because outcomes are read from the pods themselves: remove it" "pinglow" "what the operator itself may use is operator.resources, and who may ask its API is keeper.pinglow.secretName: set these instead" "runner" "each script runs in a Job of its own, as large as operator.scripts says: set that instead" "keda" "there is nothing to scale, because each script runs in a Job of its own: remove it" "timescaledb" "there is no database to run: the keeper keeps what is measured by itself, on the volume of keeper.storage, so remove it" -}}
{{- range $name := keys $sentences | sortAlpha -}}
{{- if not (kindIs "invalid" (get $.Values $name | default nil)) -}}
{{- $wrong = append $wrong (printf "%s is a value of Pinglow's chart, and %s" $name (get $sentences $name)) -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}
