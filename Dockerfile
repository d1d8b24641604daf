# The connector server's image. BASE may be any image with Python 3.11 or newer at the same path in both stages.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
RUN python3 -m venv /opt/connectory
COPY requirements/server.txt requirements/build.txt requirements/
RUN /opt/connectory/bin/pip install --require-hashes -r requirements/server.txt \
    && python3 -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY connectory connectory
COPY connectory_cli connectory_cli
COPY connector_server connector_server
COPY connectors connectors
COPY workflow_runner workflow_runner
# Bytecode is compiled here: the container's file system may be read-only, and start-up doubles without it.
RUN /opt/build/bin/python -m hatchling build -t wheel -d /tmp/wheels \
    && /opt/connectory/bin/pip install --no-deps --no-index /tmp/wheels/*.whl \
    && /opt/connectory/bin/python -m compileall -q /opt/connectory/lib

FROM ${BASE}
LABEL org.opencontainers.image.title="connectory" \
      org.opencontainers.image.description="Connector server for workflow engines, over gRPC" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/connectory /opt/connectory
ENV PATH=/opt/connectory/bin:$PATH PYTHONUNBUFFERED=1 CONNECTORY_HOME=/tmp/connectory
# A number, so that Kubernetes can prove that it is not root.
USER 65532:65532
WORKDIR /tmp
EXPOSE 8000 9090
# The default listens on loopback only. To be reached from outside, give TLS with client certificates, or say
# --insecure-public where the network itself is trusted.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["connectory", "health", "127.0.0.1:8000"]
ENTRYPOINT ["connectory"]
CMD ["serve", "--address", "127.0.0.1:8000", "--log-format", "json"]
