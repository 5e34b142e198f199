# Two images: --target webhook and --target injector. The build context is a directory with the two
# static binaries (`hack/images` makes it): no shell, no libc, nothing to update but ourselves.

FROM scratch AS webhook
COPY --chmod=0755 secrets-webhook /secrets-webhook
USER 65532:65532
ENTRYPOINT ["/secrets-webhook"]

# Nobody may read the fetcher's program, so the kernel makes its process one that nobody may look
# into, from its first instruction on. What starts applications is copied to them, and is readable.
FROM scratch AS injector
COPY --chmod=0111 secrets-injector /secrets-injector
COPY --chmod=0555 secrets-exec /secrets-exec
USER 65532:65532
ENTRYPOINT ["/secrets-injector"]
