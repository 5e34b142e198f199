# Two images: --target webhook and --target injector. The build context is a directory with the two
# static binaries (`hack/images` makes it): no shell, no libc, nothing to update but ourselves.

FROM scratch AS webhook
COPY --chmod=0755 secrets-webhook /secrets-webhook
USER 65532:65532
ENTRYPOINT ["/secrets-webhook"]

FROM scratch AS injector
COPY --chmod=0755 secrets-injector /secrets-injector
USER 65532:65532
ENTRYPOINT ["/secrets-injector"]
