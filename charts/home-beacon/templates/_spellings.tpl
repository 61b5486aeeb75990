{{/*
Values that look right to the schema and are wrong to Kubernetes or to a program, which would say so only later.
*/}}

{{/* Kubernetes and the keeper want the very name. No template can look into the database, so its names are in a file. */}}
{{- define "porchlight.refusals.zone" -}}
{{- include "porchlight.refusals.zone.of" (list . "timeZone" .Values.timeZone) -}}
{{- end }}

{{/* Takes a list: the context, what has it, the zone. */}}
{{- define "porchlight.refusals.zone.of" -}}
{{- $wrong := list -}}
{{- $zone := index . 2 -}}
{{- $known := (index . 0).Files.Get "files/zones.txt" | splitList "\n" | compact -}}
{{- if not (has $zone $known) -}}
{{- $given := $zone | trim | replace " " "_" | lower -}}
{{- $meant := list -}}
{{- range $known -}}
{{- /* Not Etc/GMT+2 for GMT+2: it is two hours behind. */ -}}
{{- $place := hasPrefix "Etc/" . | ternary . (splitList "/" . | last) -}}
{{- if has $given (list (lower .) (lower $place)) }}{{ $meant = append $meant . }}{{ end -}}
{{- end -}}
{{- $wrong = append $wrong (printf "%s %q is not a name of the IANA time zone database: write %s" (index . 1) $zone (join " or " $meant | default "one that is, like Europe/Berlin")) -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{/* As Kubernetes reads them: five fields, whose numbers have an end. */}}
{{- define "porchlight.refusals.schedules" -}}
{{- $wrong := list -}}
{{- $fields := list (list "minute" "[0-5]?[0-9]" "0 to 59") (list "hour" "1?[0-9]|2[0-3]" "0 to 23") (list "day of the month" "0?[1-9]|[12][0-9]|3[01]" "1 to 31") (list "month" "0?[1-9]|1[0-2]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec" "1 to 12, or jan to dec") (list "day of the week" "[0-6]|sun|mon|tue|wed|thu|fri|sat" "0 (Sunday) to 6, or sun to sat") -}}
{{- with .Values -}}
{{- range $name, $schedule := dict "ping.schedule" .ping.schedule "dns.schedule" .dns.schedule "bandwidth.schedule" .bandwidth.schedule "export.schedule" .export.schedule "statuspage.latency.schedule" .statuspage.latency.schedule "statuspage.bandwidth.schedule" .statuspage.bandwidth.schedule "duckdns.schedule" .duckdns.schedule -}}
{{- if and $schedule (not (hasPrefix "@" $schedule)) -}}
{{- range $at, $given := regexSplit " +" $schedule -1 -}}
{{- $field := index $fields $at -}}
{{- $one := printf "(\\*|\\?|(%s)(-(%s))?)(/[1-9][0-9]*)?" (index $field 1) (index $field 1) -}}
{{- if not (regexMatch (printf "^(?i:%s(,%s)*)$" $one $one) $given) -}}
{{- $wrong = append $wrong (printf "%s is %q, where %q is no %s: write %s, with * for each, and */2 for every other one" $name $schedule $given (index $field 0) (index $field 2)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{/* Numbers that are too small, and addresses that are none. */}}
{{- define "porchlight.refusals.amounts" -}}
{{- $wrong := list -}}
{{- with .Values -}}
{{- range $name, $duration := dict "ping.every" .ping.every "dns.every" .dns.every "ping.settings.INTERVAL" (get .ping.settings "INTERVAL") "bandwidth.settings.MAX_SECONDS" (get .bandwidth.settings "MAX_SECONDS") -}}
{{- if regexMatch "^[0hms]+$" $duration -}}
{{- $wrong = append $wrong (printf "%s is %s: it must be more than nothing" $name $duration) -}}
{{- end -}}
{{- end -}}
{{- if regexMatch "^[0-9]{1,6}(\\.[0-9]+)?( ?B)?$" (get .bandwidth.settings "MAX_BYTES" | toString) -}}
{{- $wrong = append $wrong (printf "bandwidth.settings.MAX_BYTES is %v bytes, and less than 1MB says nothing of a line: write a unit, as in 100MB" .bandwidth.settings.MAX_BYTES) -}}
{{- end -}}
{{- range $name, $targets := dict "ping.targetHost" .ping.targetHost "statuspage.latency.targetHost" .statuspage.latency.targetHost -}}
{{- range splitList "," $targets | compact -}}
{{- if and (regexMatch "^ *[0-9.]+ *$" .) (not (regexMatch "^ *[0-9]{1,3}(\\.[0-9]{1,3}){3} *$" .)) -}}
{{- $wrong = append $wrong (printf "%s has %s, which is neither a name nor an address: write one like 1.1.1.1 or example.com" $name (trim .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $of := list "beacon" "port" "keeper" "ping" "dns" "bandwidth" "checks" "nodeMetrics" "export" "test" -}}
{{- $resources := (index $.Values $of).resources -}}
{{- range $what, $asked := $resources.requests -}}
{{- $limit := get ($resources.limits | default dict) $what | toString -}}
{{- if and $limit (gt (include "porchlight.quantity" (toString $asked) | float64) (include "porchlight.quantity" $limit | float64)) -}}
{{- $wrong = append $wrong (printf "%s.resources.limits.%s is %s, which is less than the %v that are asked for: raise it, or lower %s.resources.requests.%s" $of $what $limit $asked $of $what) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end }}

{{/* What Kubernetes takes a quantity for, as a number: 48Mi, 10m. */}}
{{- define "porchlight.quantity" -}}
{{- $number := regexFind "^[0-9.]+" . -}}
{{- $units := dict "" 1.0 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 -}}
{{- mulf (float64 $number) (get $units (trimPrefix $number .)) -}}
{{- end }}
