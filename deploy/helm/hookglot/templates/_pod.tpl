{{- /* The environment of hookglot, but for what the image sets. */ -}}
{{- define "hookglot.env" -}}
- name: HOOKGLOT_LOG_FORMAT
  value: {{ .Values.log.format | quote }}
- name: HOOKGLOT_LOG_LEVEL
  value: {{ .Values.log.level | quote }}
- name: HOOKGLOT_GRACE
  value: {{ printf "%ds" (int .Values.graceSeconds) | quote }}
{{- if .Values.to }}
- name: HOOKGLOT_TO
  value: {{ .Values.to | quote }}
- name: HOOKGLOT_FORMAT
  value: {{ .Values.format | quote }}
- name: HOOKGLOT_SECRET_FILE
  value: /run/secrets/hookglot/{{ .Values.secrets.forgeKey }}
{{- with .Values.secrets.toolKey }}
- name: HOOKGLOT_TOKEN_FILE
  value: /run/secrets/hookglot/{{ . }}
{{- end }}
{{- end }}
{{- with .Values.secrets.adminKey }}
- name: HOOKGLOT_ADMIN_TOKEN_FILE
  value: /run/secrets/hookglot/{{ . }}
{{- end }}
{{- if .Values.mappings }}
- name: HOOKGLOT_MAPPINGS_DIR
  value: /mappings
{{- end }}
{{- if .Values.tls.secret }}
- name: HOOKGLOT_TLS__CERT_FILE
  value: /run/secrets/hookglot-tls/tls.crt
- name: HOOKGLOT_TLS__KEY_FILE
  value: /run/secrets/hookglot-tls/tls.key
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "hookglot.volumes" -}}
- name: data
{{- if .Values.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ default (include "hookglot.fullname" .) .Values.persistence.existingClaim }}
{{- else }}
  emptyDir: {}
{{- end }}
{{- if .Values.config }}
- name: config
  configMap:
    name: {{ include "hookglot.fullname" . }}
{{- end }}
{{- if .Values.mappings }}
- name: mappings
  configMap:
    name: {{ include "hookglot.fullname" . }}-mappings
    items:
      {{- range $path, $text := .Values.mappings }}
      - key: {{ include "hookglot.mappingKey" $path }}
        path: {{ $path }}
      {{- end }}
{{- end }}
{{- if include "hookglot.hasSecrets" . }}
- name: secrets
  secret:
    secretName: {{ include "hookglot.secret" . }}
    defaultMode: 0440
{{- end }}
{{- with .Values.tls.secret }}
- name: tls
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
