{{- define "hookglot.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "hookglot.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 54 | trimSuffix "-" }}
{{- else if contains (include "hookglot.name" .) .Release.Name }}
{{- .Release.Name | trunc 54 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "hookglot.name" .) | trunc 54 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "hookglot.selector" -}}
app.kubernetes.io/name: {{ include "hookglot.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "hookglot.labels" -}}
{{ include "hookglot.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "hookglot.secret" -}}
{{- default (include "hookglot.fullname" .) .Values.secrets.existingSecret }}
{{- end }}

{{- /* Whether there are secrets at all: "true" or nothing. */ -}}
{{- define "hookglot.hasSecrets" -}}
{{- if or .Values.secrets.existingSecret .Values.secrets.values }}true{{ end }}
{{- end }}

{{- define "hookglot.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "hookglot.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "hookglot.image" -}}
{{- if .Values.image.digest }}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) }}
{{- end }}
{{- end }}

{{- /* A key of a ConfigMap may hold no slash. */ -}}
{{- define "hookglot.mappingKey" -}}
{{- replace "/" "__" . }}
{{- end }}
