{{- define "connectory.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "connectory.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "connectory.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "connectory.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "connectory.selector" -}}
app.kubernetes.io/name: {{ include "connectory.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "connectory.labels" -}}
{{ include "connectory.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "connectory.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "connectory.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "connectory.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{- /* Not empty when calls must bring a token. */ -}}
{{- define "connectory.demandsTokens" -}}
{{- if or .Values.access.tokens.secretName .Values.access.jwt.jwks -}}yes{{- end -}}
{{- end -}}

{{- /* Refuses values that are each fine and do not fit together. */ -}}
{{- define "connectory.fits" -}}
{{- $first := int .Values.server.metricsPort }}
{{- $last := add $first (int .Values.server.workers) -1 | int }}
{{- if eq .Values.mode "sidecar" }}
{{- if gt (int .Values.server.workers) 1 }}
{{- fail "server.workers: a unix socket belongs to one process; set server.workers=1 in mode sidecar" }}
{{- end }}
{{- else if and (ge (int .Values.server.port) $first) (le (int .Values.server.port) $last) }}
{{- fail (printf "server.port=%d is a port of metrics, which are at %d to %d, one for each of server.workers; choose another one" (int .Values.server.port) $first $last) }}
{{- end }}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}
{{- fail "autoscaling.minReplicas is above autoscaling.maxReplicas; raise the one or lower the other" }}
{{- end }}
{{- $own := include "connectory.settingsOfValues" . | fromYaml }}
{{- range $name, $_ := .Values.server.extra }}
{{- if hasKey $own $name }}
{{- fail (printf "server.extra.%s would be there twice; set the value that the chart has for it" $name) }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* The ports of metrics by their names, as JSON: each worker has its own. */ -}}
{{- define "connectory.metricsPorts" -}}
{{- $ports := dict "metrics" (int .Values.server.metricsPort) }}
{{- range $worker := untilStep 1 (int .Values.server.workers) 1 }}
{{- $_ := set $ports (printf "metrics-%d" (add $worker 1)) (add $.Values.server.metricsPort $worker | int) }}
{{- end }}
{{- toJson $ports }}
{{- end -}}

{{- /* The server's settings file. */ -}}
{{- define "connectory.settings" -}}
{{- include "connectory.fits" . -}}
{{ include "connectory.settingsOfValues" . }}
{{- with .Values.server.extra }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "connectory.settingsOfValues" -}}
workers: {{ .Values.server.workers }}
grace: {{ .Values.server.graceSeconds }}
log_format: {{ .Values.server.logFormat }}
log_level: {{ .Values.server.logLevel }}
max_message_bytes: {{ .Values.server.maxMessageBytes | int64 }}
max_in_flight: {{ .Values.server.maxInFlight | int64 }}
config_check_every: {{ .Values.server.reloadSeconds }}
metrics_address: "0.0.0.0:{{ .Values.server.metricsPort }}"
{{- with .Values.server.modules }}
modules: {{ toJson . }}
{{- end }}
{{- with .Values.server.isolation }}
isolation: {{ toJson . }}
{{- end }}
{{- if eq .Values.mode "sidecar" }}
addresses: []
uds: ["{{ .Values.sidecar.socketDir }}/connectory.sock"]
{{- else }}
addresses: ["0.0.0.0:{{ .Values.server.port }}"]
{{- if .Values.tls.enabled }}
tls_cert: /etc/connectory-tls/tls.crt
tls_key: /etc/connectory-tls/tls.key
{{- if .Values.tls.requireClientCertificates }}
tls_client_ca: /etc/connectory-tls/ca.crt
{{- end }}
{{- end }}
{{- if or (and .Values.insecurePublic (not .Values.tls.enabled)) (and .Values.tls.enabled (not .Values.tls.requireClientCertificates) (not (include "connectory.demandsTokens" .))) }}
insecure_public: true
{{- end }}
{{- end }}
{{- with .Values.access }}
{{- if .tokens.secretName }}
tokens: "/etc/connectory-tokens/{{ .tokens.key }}"
{{- end }}
{{- if .jwt.jwks }}
jwt_jwks: {{ .jwt.jwks | quote }}
jwt_issuer: {{ .jwt.issuer | quote }}
jwt_audience: {{ .jwt.audience | quote }}
jwt_leeway: {{ .jwt.leewaySeconds }}
{{- end }}
{{- if .handleKeys.secretName }}
handle_keys: "/etc/connectory-handle-keys/{{ .handleKeys.key }}"
{{- end }}
{{- if .auditLog }}
audit_log: {{ .auditLog | quote }}
{{- end }}
{{- with .secretsAllow }}
secrets_allow: {{ toJson . }}
{{- end }}
{{- end }}
{{- if not .Values.ledger.secretName }}
ledger: {{ .Values.ledger.place | quote }}
{{- end }}
ledger_lease: {{ .Values.ledger.leaseSeconds }}
{{- with .Values.limits }}
limits: {{ toJson . }}
{{- end }}
{{- end -}}

{{- /* The settings of which a change rolls the pods: all but those that a running server takes up by itself. */ -}}
{{- define "connectory.settingsOfAPod" -}}
{{- if .Values.server.reloadSeconds -}}
{{- omit (include "connectory.settings" . | fromYaml) "ambiguous" "isolation" "lease" "limits" "log_level" "max_in_flight" "modules" "on_orphan" "reap_every" "secrets_allow" | toYaml -}}
{{- else -}}
{{- include "connectory.settings" . -}}
{{- end -}}
{{- end -}}

{{- /* Kubernetes' own gRPC probe speaks no TLS; with TLS the container asks itself. */ -}}
{{- define "connectory.probe" -}}
{{- if eq .root.Values.mode "sidecar" }}
exec:
  command: [connectory, health, "unix:{{ .root.Values.sidecar.socketDir }}/connectory.sock"]
timeoutSeconds: 5
{{- else if .root.Values.tls.enabled }}
exec:
  command:
    - connectory
    - health
    - "127.0.0.1:{{ .root.Values.server.port }}"
    - --tls-ca=/etc/connectory-tls/{{ .root.Values.tls.requireClientCertificates | ternary "ca.crt" "tls.crt" }}
    - --tls-cert=/etc/connectory-tls/tls.crt
    - --tls-key=/etc/connectory-tls/tls.key
    - --tls-name={{ include "connectory.fullname" .root }}
timeoutSeconds: 5
{{- else }}
grpc:
  port: {{ .root.Values.server.port }}
timeoutSeconds: 3
{{- end }}
{{ toYaml .timing }}
{{- end -}}

{{- define "connectory.container" -}}
- name: connectory
  image: {{ include "connectory.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args: [serve, --config, /etc/connectory/server.yaml]
  {{- $jobs := and (ne .Values.mode "sidecar") .Values.kubernetesJobs.enabled }}
  {{- if or .Values.ledger.secretName .Values.env $jobs }}
  env:
    {{- if $jobs }}
    - {name: CONNECTORY_K8S_ALLOW, value: {{ join " " (concat (list .Release.Namespace) .Values.kubernetesJobs.namespaces | uniq) | quote }}}
    - {name: CONNECTORY_K8S_IMAGE, value: {{ include "connectory.image" . | quote }}}
    {{- with .Values.kubernetesJobs.storageSecrets }}
    - {name: CONNECTORY_K8S_STORAGE_SECRETS, value: {{ join " " . | quote }}}
    {{- end }}
    {{- with .Values.kubernetesJobs.podTemplate }}
    - {name: CONNECTORY_K8S_POD_TEMPLATE, value: {{ . | quote }}}
    {{- end }}
    {{- end }}
    {{- if .Values.ledger.secretName }}
    - name: CONNECTORY_LEDGER
      valueFrom:
        secretKeyRef: {name: {{ .Values.ledger.secretName | quote }}, key: {{ .Values.ledger.key | quote }}}
    {{- end }}
    {{- with .Values.env }}{{ toYaml . | nindent 4 }}{{- end }}
  {{- end }}
  {{- with .Values.envFrom }}
  envFrom: {{ toYaml . | nindent 4 }}
  {{- end }}
  ports:
    {{- if ne .Values.mode "sidecar" }}
    - {name: grpc, containerPort: {{ .Values.server.port }}}
    {{- end }}
    {{- range $name, $port := include "connectory.metricsPorts" . | fromJson }}
    - {name: {{ $name }}, containerPort: {{ $port }}}
    {{- end }}
  startupProbe: {{ include "connectory.probe" (dict "root" . "timing" .Values.probes.startup) | nindent 4 }}
  readinessProbe: {{ include "connectory.probe" (dict "root" . "timing" .Values.probes.readiness) | nindent 4 }}
  livenessProbe: {{ include "connectory.probe" (dict "root" . "timing" .Values.probes.liveness) | nindent 4 }}
  resources: {{ toYaml .Values.resources | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    runAsNonRoot: true
    capabilities: {drop: [ALL]}
  volumeMounts:
    - {name: config, mountPath: /etc/connectory, readOnly: true}
    - {name: tmp, mountPath: /tmp}
    {{- if eq .Values.mode "sidecar" }}
    - {name: connectory-socket, mountPath: {{ .Values.sidecar.socketDir }}}
    {{- else if .Values.tls.enabled }}
    - {name: tls, mountPath: /etc/connectory-tls, readOnly: true}
    {{- end }}
    {{- if .Values.access.tokens.secretName }}
    - {name: tokens, mountPath: /etc/connectory-tokens, readOnly: true}
    {{- end }}
    {{- if .Values.access.handleKeys.secretName }}
    - {name: handle-keys, mountPath: /etc/connectory-handle-keys, readOnly: true}
    {{- end }}
    {{- range .Values.secretMounts }}
    - {name: {{ printf "secret-%s" .secretName | quote }}, mountPath: "/etc/secrets/{{ .secretName }}", readOnly: true}
    {{- end }}
    {{- with .Values.extraVolumeMounts }}{{ toYaml . | nindent 4 }}{{- end }}
{{- end -}}

{{- define "connectory.volumes" -}}
- name: config
  configMap: {name: {{ include "connectory.fullname" . }}}
- name: tmp
  emptyDir: {}
{{- if eq .Values.mode "sidecar" }}
- name: connectory-socket
  emptyDir: {}
{{- else if .Values.tls.enabled }}
- name: tls
  secret: {secretName: {{ .Values.tls.secretName | quote }}}
{{- end }}
{{- with .Values.access.tokens.secretName }}
- name: tokens
  secret: {secretName: {{ . | quote }}}
{{- end }}
{{- with .Values.access.handleKeys.secretName }}
- name: handle-keys
  secret: {secretName: {{ . | quote }}}
{{- end }}
{{- range .Values.secretMounts }}
- name: {{ printf "secret-%s" .secretName | quote }}
  secret: {secretName: {{ .secretName | quote }}}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
