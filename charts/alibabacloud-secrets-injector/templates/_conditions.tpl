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

{{/* Names of containers other than ours for which CONDITION holds, over `container`. */}}
{{- define "secrets-injector.others" -}}
object.spec.?initContainers.orValue([]).filter(container, !{{ include "secrets-injector.ours" "container" }} && {{ . }}).map(container, container.name) +
object.spec.containers.filter(container, !{{ include "secrets-injector.oursBeside" "container" }} && {{ . }}).map(container, container.name) +
object.spec.?ephemeralContainers.orValue([]).filter(container, {{ . }}).map(container, container.name)
{{- end -}}

{{/* The request's namespace has opted in, and is none of those that are always left out. */}}
{{- define "secrets-injector.optedIn" -}}
namespaceObject.metadata.?labels[?'kms.alibabacloud/injection'].orValue('') == 'enabled'
{{- end -}}

{{- define "secrets-injector.leftOut" -}}
{{- list "kube-system" "kube-public" "kube-node-lease" .Release.Namespace | toJson -}}
{{- end -}}
