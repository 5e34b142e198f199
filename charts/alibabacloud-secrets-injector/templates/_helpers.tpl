{{/* Names. 54 characters leave room for "-metrics" in the name of a Service. */}}

{{- define "secrets-injector.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 54 | trimSuffix "-" -}}
{{- end -}}

{{- define "secrets-injector.fullname" -}}
{{- $name := include "secrets-injector.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 54 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 54 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 54 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "secrets-injector.selector" -}}
app.kubernetes.io/name: {{ include "secrets-injector.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: webhook
{{- end -}}

{{- define "secrets-injector.labels" -}}
app.kubernetes.io/name: {{ include "secrets-injector.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The name that the API server asks for. */}}
{{- define "secrets-injector.host" -}}
{{- printf "%s.%s.svc" (include "secrets-injector.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* The Secret with the serving certificate. */}}
{{- define "secrets-injector.certificate" -}}
{{- if eq .Values.certificates.mode "own" -}}
{{- .Values.certificates.own.secretName -}}
{{- else if eq .Values.certificates.mode "cert-manager" -}}
{{- /* This is not the Secret of the self-managed mode: each has its owner. */ -}}
{{- include "secrets-injector.fullname" . }}-tls
{{- else -}}
{{- include "secrets-injector.fullname" . }}-certificate
{{- end -}}
{{- end -}}

{{/* An image: dict "image" IMAGE "registry" DEFAULT "tag" DEFAULT. */}}
{{- define "secrets-injector.image" -}}
{{- $name := printf "%s/%s" (.image.registry | default .registry | trimSuffix "/") .image.repository -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (.image.tag | default .tag) -}}
{{- end -}}
{{- end -}}

{{- define "secrets-injector.webhookImage" -}}
{{- include "secrets-injector.image" (dict "image" .Values.image "registry" "" "tag" .Chart.AppVersion) -}}
{{- end -}}

{{/* The container's settings that Pod Security `restricted` asks for, and a read-only root. */}}
{{- define "secrets-injector.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end -}}

{{- define "secrets-injector.podSecurity" -}}
runAsNonRoot: true
{{- if ne .Values.settings.uid "platform" }}
runAsUser: 65532
runAsGroup: 65532
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* What the schema cannot say, all at once. */}}
{{- define "secrets-injector.check" -}}
{{- $problems := list -}}
{{- if has .Release.Namespace (list "kube-system" "kube-public" "kube-node-lease") -}}
{{- $problems = append $problems (printf "namespace %s belongs to the cluster, and its controllers' ServiceAccounts are there: install into one of its own (--namespace secrets-injector --create-namespace)" .Release.Namespace) -}}
{{- end -}}
{{- if not .Values.image.registry -}}
{{- $problems = append $problems "image.registry is required: the registry that holds secrets-webhook and secrets-injector, like registry.example/team" -}}
{{- end -}}
{{- if not (or .Values.settings.clusterId .Values.settings.oidcProviderArn) -}}
{{- $problems = append $problems "settings.clusterId is required: the id of the ACK cluster, from which the name of the OIDC provider follows; or name the provider in settings.oidcProviderArn" -}}
{{- end -}}
{{- if eq .Values.certificates.mode "own" -}}
{{- if not .Values.certificates.own.secretName -}}
{{- $problems = append $problems (printf "certificates.own.secretName is required for mode own: a Secret with tls.crt and tls.key for %s" (include "secrets-injector.host" .)) -}}
{{- end -}}
{{- if not .Values.certificates.own.caBundle -}}
{{- $problems = append $problems "certificates.own.caBundle is required for mode own: the CA certificates (PEM) that the API server trusts" -}}
{{- else if or (not (contains "-----BEGIN CERTIFICATE-----" .Values.certificates.own.caBundle)) (contains "PRIVATE KEY" .Values.certificates.own.caBundle) -}}
{{- /* This is no pattern of the schema, because its message would quote the value. */ -}}
{{- $problems = append $problems "certificates.own.caBundle must be certificates in PEM, and nothing else" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.apiServerCIDRs) -}}
{{- $problems = append $problems "networkPolicy.apiServerCIDRs is required for networkPolicy.enabled: without the addresses of the API server no call would reach the webhook" -}}
{{- end -}}
{{- if eq (int .Values.webhook.port) (int .Values.webhook.adminPort) -}}
{{- $problems = append $problems "webhook.port and webhook.adminPort must differ" -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n\n- %s\n" (join "\n- " $problems)) -}}
{{- end -}}
{{- end -}}
