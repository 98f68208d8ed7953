{{/* Names come from the release, so that two of them have room in one namespace. The longest is NAME-connector-back-ends. */}}
{{- define "hubbub.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* By which pods are chosen: (list $ "gate"). */}}
{{- define "hubbub.selector" -}}
app.kubernetes.io/name: hubbub-{{ index . 1 }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
{{- end -}}

{{/* Of all pods of this release. */}}
{{- define "hubbub.all" -}}
app.kubernetes.io/part-of: hubbub
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* The same for each object: (list $) or (list $ "gate"). */}}
{{- define "hubbub.labels" -}}
{{- $root := index . 0 -}}
{{- if gt (len .) 1 -}}
app.kubernetes.io/name: hubbub-{{ index . 1 }}
app.kubernetes.io/component: {{ index . 1 }}
{{ end -}}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/part-of: hubbub
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ $root.Chart.Name }}-{{ $root.Chart.Version }}
{{- end -}}

{{/* metadata: (list $ NAME [KIND]) */}}
{{- define "hubbub.metadata" -}}
name: {{ include "hubbub.fullname" (index . 0) }}{{ index . 1 }}
namespace: {{ (index . 0).Release.Namespace }}
labels:
  {{- include "hubbub.labels" (concat (list (index . 0)) (slice . 2)) | nindent 2 }}
{{- end -}}

{{- define "hubbub.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ default $.Chart.AppVersion .tag }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "hubbub.priorityClassName" -}}
{{- default (ternary (include "hubbub.fullname" .) "" .Values.priorityClass.create) .Values.priorityClassName -}}
{{- end -}}

{{/* What clients are told. */}}
{{- define "hubbub.advertise" -}}
{{- $c := .Values.connector -}}
{{- if $c.advertise -}}
{{- $c.advertise -}}
{{- else if or .Values.ingress.enabled .Values.gatewayApi.enabled -}}
{{- $secret := or .Values.ingress.tlsSecret .Values.gatewayApi.enabled -}}
{{- required "hosts.connector is empty: name the host by which clients come to connectors" .Values.hosts.connector }}:{{ ternary 443 80 (not (empty $secret)) -}}
{{- else if and (eq $c.service.type "NodePort") $c.service.nodePort -}}
[$(NODE_IP)]:{{ $c.service.nodePort }}
{{- else -}}
{{- fail "connector.advertise is empty: say what clients are told, HOST:PORT, or give connector.service.nodePort, an ingress or the gatewayApi" -}}
{{- end -}}
{{- end -}}

{{- define "hubbub.claim" -}}
{{- default (printf "%s-store" (include "hubbub.fullname" .)) .Values.store.sqlite.existingClaim -}}
{{- end -}}

{{- define "hubbub.ports" -}}
{{- index (dict "gate" 4014 "connector" 4050 "chat" 6050) . -}}
{{- end -}}
{{- define "hubbub.clientPort" -}}
{{- index (dict "gate" 3014 "connector" 3050) . -}}
{{- end -}}

{{/* The file of flags of a kind: (list $ "gate"). The image's own flags first, so that yours count. */}}
{{- define "hubbub.flags" -}}
{{- $root := index . 0 -}}
{{- $kind := index . 1 -}}
{{ $root.Files.Get (printf "files/%s.flags" $kind) }}
{{- range concat $root.Values.extraFlags (index $root.Values $kind).extraFlags }}
{{- . }}
{{ end -}}
{{- end -}}
