{{/* The pod template of a kind: (list $ "gate"). */}}
{{- define "hubbub.pod" -}}
{{- $root := index . 0 -}}
{{- $kind := index . 1 -}}
{{- $v := $root.Values -}}
{{- $own := index $v $kind -}}
{{- $name := include "hubbub.fullname" $root -}}
{{- $grpc := include "hubbub.ports" $kind | int -}}
{{- $clients := ne $kind "chat" -}}
{{- $sqlite := and (eq $kind "chat") (eq $v.store.type "sqlite") -}}
{{- $postgres := and (eq $kind "chat") (eq $v.store.type "postgres") -}}
{{- $keys := and $clients (or $v.signIn.keysConfigMap $v.signIn.keysSecret) -}}
{{- $revision := ternary "pod-template-hash" "controller-revision-hash" (eq $kind "gate") -}}
metadata:
  labels:
    {{- include "hubbub.selector" . | nindent 4 }}
    app.kubernetes.io/component: {{ $kind }}
    app.kubernetes.io/part-of: hubbub
    app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
  annotations:
    # A change of the flags rolls the pods.
    checksum/flags: {{ include "hubbub.flags" . | sha256sum }}
    {{- with merge (deepCopy $own.podAnnotations) $v.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ $name }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with $v.image.pullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "hubbub.priorityClassName" $root }}
  priorityClassName: {{ . }}
  {{- end }}
  terminationGracePeriodSeconds: {{ index (dict "gate" 20 "connector" 45 "chat" 30) $kind }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    {{- if or (eq $kind "chat") $v.grpcCertificates.enabled }}
    fsGroup: 65532
    {{- end }}
    seccompProfile: {type: RuntimeDefault}
  topologySpreadConstraints:
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      nodeTaintsPolicy: Honor
      matchLabelKeys: [{{ $revision }}]
      labelSelector:
        matchLabels:
          {{- include "hubbub.selector" (list $root $kind) | nindent 10 }}
    {{- end }}
  {{- with merge (deepCopy $own.nodeSelector) $v.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with (default $v.affinity $own.affinity) }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  tolerations:
    - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute, tolerationSeconds: 30}
    - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 30}
    {{- with concat $v.tolerations $own.tolerations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  containers:
    - name: {{ $kind }}
      image: {{ include "hubbub.image" $root }}
      {{- with $v.image.pullPolicy }}
      imagePullPolicy: {{ . }}
      {{- end }}
      command: [hubbub-{{ $kind }}]
      args:
        - --flagfile=/etc/hubbub/{{ $kind }}.flags
        {{- range list "gate" "connector" "chat" }}
        - --{{ . }}_service={{ $name }}-{{ . }}.$(POD_NAMESPACE).svc.$(CLUSTER_DOMAIN).:{{ include "hubbub.ports" . }}
        {{- end }}
        - --id=$(POD_NAME)
        - --advertise_host=$(POD_IP)
        {{- if eq $kind "connector" }}
        - --advertise=$(ADVERTISE)
        {{- end }}
        {{- if and (eq $kind "gate") $v.gate.serversPage }}
        - --servers_page=true
        {{- end }}
        {{- if $sqlite }}
        - --store=sqlite:/var/lib/hubbub/store.db
        {{- else if $postgres }}
        - --store=postgres://$(STORE_USER)@$(STORE_HOST)/{{ $v.store.postgres.database }}?sslmode=verify-full&sslrootcert=/etc/hubbub-store/ca.crt
        - --store_password_file=/etc/hubbub-store/password
        {{- end }}
        {{- if $clients }}
        {{- with $v.allowedOrigins }}
        - --allowed_origins={{ join "," . }}
        {{- end }}
        {{- with $v.trustedProxies }}
        - --trusted_proxies={{ join "," . }}
        {{- end }}
        {{- if $keys }}
        - --signin_keys=/etc/hubbub-keys
        {{- with $v.signIn.audience }}
        - {{ printf "--signin_audience=%s" . | quote }}
        {{- end }}
        {{- with $v.signIn.issuer }}
        - {{ printf "--signin_issuer=%s" . | quote }}
        {{- end }}
        {{- end }}
        {{- if $v.tls.enabled }}
        - --tls_certificate=/etc/hubbub-tls/tls.crt
        - --tls_key=/etc/hubbub-tls/tls.key
        {{- if $v.tls.allowPlain }}
        - --allow_plain=true
        {{- end }}
        {{- end }}
        {{- end }}
        {{- if $v.grpcCertificates.enabled }}
        - --grpc_certificate=/etc/hubbub-grpc/tls.crt
        - --grpc_key=/etc/hubbub-grpc/tls.key
        - --grpc_ca=/etc/hubbub-grpc/ca.crt
        {{- end }}
        {{- if $v.production }}
        - --production=true
        {{- end }}
        {{- if $v.grpcPlaintext }}
        - --grpc_plaintext=true
        {{- end }}
      env:
        - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        {{- if eq $kind "connector" }}
        - {name: NODE_IP, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
        {{- end }}
        - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
        - {name: CLUSTER_DOMAIN, value: {{ $v.clusterDomain }}}
        {{- with concat $v.extraEnv $own.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- if eq $kind "connector" }}
        - {name: ADVERTISE, value: {{ include "hubbub.advertise" $root | quote }}}
        {{- end }}
        {{- if $postgres }}
        - {name: STORE_HOST, valueFrom: {secretKeyRef: {name: {{ $v.store.postgres.existingSecret }}, key: host}}}
        - {name: STORE_USER, valueFrom: {secretKeyRef: {name: {{ $v.store.postgres.existingSecret }}, key: user}}}
        {{- end }}
      ports:
        {{- if $clients }}
        - {name: clients, containerPort: {{ include "hubbub.clientPort" $kind }}}
        {{- end }}
        - {name: grpc, containerPort: {{ $grpc }}}
        - {name: metrics, containerPort: 9090}
      {{- /* The kubelet asks gRPC without TLS alone. /healthz says 503 while a server drains, and it must not be killed for that. */}}
      startupProbe:
        {{- include "hubbub.probe" (list $root $kind "httpGet") | nindent 8 }}
        periodSeconds: 1
        timeoutSeconds: 3
        failureThreshold: 60
      readinessProbe:
        {{- include "hubbub.probe" (list $root $kind "httpGet") | nindent 8 }}
        periodSeconds: 2
        timeoutSeconds: 3
        failureThreshold: 2
      livenessProbe:
        {{- include "hubbub.probe" (list $root $kind "tcpSocket") | nindent 8 }}
        periodSeconds: 10
        failureThreshold: 6
        timeoutSeconds: 5
      {{- if $clients }}
      lifecycle:
        preStop: {sleep: {seconds: {{ ternary 3 4 (eq $kind "gate") }}}}
      {{- end }}
      resources: {{- toYaml $own.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        - {name: flags, mountPath: /etc/hubbub, readOnly: true}
        {{- if $sqlite }}
        - {name: store, mountPath: /var/lib/hubbub}
        {{- else if $postgres }}
        - {name: store, mountPath: /etc/hubbub-store, readOnly: true}
        {{- end }}
        {{- if $keys }}
        - {name: keys, mountPath: /etc/hubbub-keys, readOnly: true}
        {{- end }}
        {{- if and $clients $v.tls.enabled }}
        - {name: tls, mountPath: /etc/hubbub-tls, readOnly: true}
        {{- end }}
        {{- if $v.grpcCertificates.enabled }}
        - {name: grpc-certificates, mountPath: /etc/hubbub-grpc, readOnly: true}
        {{- end }}
  volumes:
    - name: flags
      configMap: {name: {{ $name }}-{{ $kind }}-flags}
    {{- if $sqlite }}
    - name: store
      persistentVolumeClaim: {claimName: {{ include "hubbub.claim" $root }}}
    {{- else if $postgres }}
    - name: store
      secret:
        secretName: {{ $v.store.postgres.existingSecret }}
        defaultMode: 0440
        items: [{key: password, path: password}, {key: ca.crt, path: ca.crt}]
    {{- end }}
    {{- if $keys }}
    - name: keys
      {{- if $v.signIn.keysSecret }}
      secret: {secretName: {{ $v.signIn.keysSecret }}, defaultMode: 0444}
      {{- else }}
      configMap: {name: {{ $v.signIn.keysConfigMap }}}
      {{- end }}
    {{- end }}
    {{- if and $clients $v.tls.enabled }}
    - name: tls
      secret: {secretName: {{ $v.tls.existingSecret }}}
    {{- end }}
    {{- if $v.grpcCertificates.enabled }}
    - name: grpc-certificates
      secret: {secretName: {{ index $v.grpcCertificates (printf "%sSecret" $kind) }}, defaultMode: 0440}
    {{- end }}
{{- end -}}

{{/* How the kubelet asks: (list $ "gate" HANDLER), the handler where gRPC cannot be asked. */}}
{{- define "hubbub.probe" -}}
{{- $kind := index . 1 -}}
{{- if not (index . 0).Values.grpcCertificates.enabled -}}
grpc: {port: {{ include "hubbub.ports" $kind }}}
{{- else if eq $kind "chat" -}}
tcpSocket: {port: grpc}
{{- else if eq (index . 2) "httpGet" -}}
httpGet: {path: /healthz, port: clients}
{{- else -}}
tcpSocket: {port: clients}
{{- end -}}
{{- end -}}
