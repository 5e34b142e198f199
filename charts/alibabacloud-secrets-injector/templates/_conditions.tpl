{{/*
Expressions (CEL) that several objects share. Each takes the path of what it is about.
*/}}

{{/*
The one trigger: what asks for secrets. PATH is a Pod, or the template of one.
An annotation of ours, no mirror of a static Pod (which nobody could refuse), not opted out.
*/}}
{{- define "secrets-injector.triggers" -}}
{{ . }}.?metadata.?annotations.orValue({}).exists(key, key.startsWith('kms.alibabacloud/') && key != 'kms.alibabacloud/status') &&
!('kubernetes.io/config.mirror' in {{ . }}.?metadata.?annotations.orValue({})) &&
{{ . }}.?metadata.?labels[?'kms.alibabacloud/injection'].orValue('') != 'disabled'
{{- end -}}

{{/* PATH, an init container, is ours: it carries a plan, and nobody else may have its name. */}}
{{- define "secrets-injector.ours" -}}
({{ . }}.name in ['kms-secrets-init', 'kms-secrets'] && {{ . }}.?env.orValue([]).exists(variable, variable.name == 'SECRETS_INJECTOR_PLAN'))
{{- end -}}

{{/* The same for PATH, an ordinary container: there it keeps secrets current and does nothing else. */}}
{{- define "secrets-injector.oursBeside" -}}
({{ . }}.name == 'kms-secrets' && {{ . }}.?env.orValue([]).exists(variable, variable.name == 'SECRETS_INJECTOR_PLAN'))
{{- end -}}

{{/* The Pod has our container. That cannot be edited away, other than annotations and labels. */}}
{{- define "secrets-injector.injected" -}}
object.spec.?initContainers.orValue([]).exists(container, {{ include "secrets-injector.ours" "container" }})
{{- end -}}

{{/* Names of containers beside ours for which CONDITION holds, over `container`. */}}
{{- define "secrets-injector.others" -}}
variables.beside.filter(container, {{ . }}).map(container, container.name) +
object.spec.?ephemeralContainers.orValue([]).filter(container, {{ . }}).map(container, container.name)
{{- end -}}

{{/*
Capabilities with which a container reads memory or environment of another one whose processes it
sees, or makes itself one that does. The webhook has the same list.
*/}}
{{- define "secrets-injector.tracingCapabilities" -}}
ALL SYS_PTRACE SYS_ADMIN PERFMON BPF SYS_MODULE SYS_RAWIO CHECKPOINT_RESTORE
{{- end -}}

{{/*
PATH, a container, has such a capability, or all of them. Container runtimes ignore case as Unicode
does: a name that has other than ASCII letters may be one of these to them.
*/}}
{{- define "secrets-injector.traces" -}}
{{- $names := list -}}
{{- range include "secrets-injector.tracingCapabilities" . | splitList " " -}}
{{- $names = concat $names (list . (printf "CAP_%s" .)) -}}
{{- end -}}
({{ . }}.?securityContext.?privileged.orValue(false) ||
{{ . }}.?securityContext.?windowsOptions.?hostProcess.orValue(false) ||
{{ . }}.?securityContext.?capabilities.?add.orValue([]).exists(name,
  name.upperAscii() in {{ $names | toJson }} || !name.matches('^[A-Za-z_]+$')))
{{- end -}}

{{/* The request's namespace has opted in, and is none of those that are always left out. */}}
{{- define "secrets-injector.optedIn" -}}
namespaceObject.metadata.?labels[?'kms.alibabacloud/injection'].orValue('') == 'enabled'
{{- end -}}

{{- define "secrets-injector.leftOut" -}}
{{- list "kube-system" "kube-public" "kube-node-lease" .Release.Namespace | toJson -}}
{{- end -}}

{{/* Of two objects all fields are the same, but for one: dict "new" PATH "old" PATH "but" FIELD. */}}
{{- define "secrets-injector.same" -}}
dyn({{ .new }}).all(field, field == '{{ .but }}' || field in dyn({{ .old }}) && dyn({{ .new }})[field] == dyn({{ .old }})[field]) &&
dyn({{ .old }}).all(field, field == '{{ .but }}' || field in dyn({{ .new }}))
{{- end -}}
