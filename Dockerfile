# One image for every process of the platform: services, migrations, the gateway's configuration, and what the overlay
# `local` runs beside them. `make image` builds it; docs/kubernetes.md says what is in it.

ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /src
# Everything is a wheel: there is no compiler here either. Hashes are those of the locks, whatever index answers.
COPY k8s/image/server.lock k8s/image/build.lock k8s/image/
RUN python3 -m venv /opt/casemesh && python3 -m venv /build \
 && /opt/casemesh/bin/pip install --no-cache-dir --no-compile --only-binary :all: --require-hashes -r k8s/image/server.lock \
 && /build/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r k8s/image/build.lock
COPY pyproject.toml README.md ./
COPY gateway/envoy.yaml gateway/
COPY services services
RUN /build/bin/hatchling build -t wheel -d /build/dist \
 && /opt/casemesh/bin/pip install --no-cache-dir --no-index --no-deps /build/dist/*.whl \
 && /opt/casemesh/bin/python -m pip uninstall --yes --quiet setuptools pip \
 && /build/bin/cyclonedx-py environment --output-reproducible --of JSON -o /opt/casemesh/sbom.cdx.json /opt/casemesh/bin/python \
 && dpkg-query --show > /opt/casemesh/debian-packages.txt \
 && python3 -m compileall -q -j 2 /opt/casemesh/lib \
 # Under this name the gateway's pod starts Envoy from this image and from Envoy's own alike.
 && ln -sf "$(echo /opt/casemesh/lib/python3.*/site-packages/envoy/_bin/envoy)" /opt/casemesh/bin/envoy

FROM ${BASE}
ARG REVISION=unknown
LABEL org.opencontainers.image.title="CaseMesh" org.opencontainers.image.revision="${REVISION}"
COPY --from=build /opt/casemesh /opt/casemesh
ENV PATH=/opt/casemesh/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GRPC_ENABLE_FORK_SUPPORT=0
# A number, so that Kubernetes sees it is not root. Nothing is written but to what is mounted.
USER 10001:10001
WORKDIR /
ENTRYPOINT ["casemeshd"]
CMD ["--help"]
