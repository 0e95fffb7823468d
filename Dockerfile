# prismsearch as a container: a worker, the page, or any other command. compose.yaml starts them beside a PostgreSQL server.
#
#   docker build --tag prismsearch .
#   docker run --rm prismsearch --help

FROM python:3.12.11-slim-bookworm AS build
WORKDIR /source
ENV UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
RUN pip install --no-cache-dir uv==0.13.9
COPY pyproject.toml constraints.txt MANIFEST.in README.md CHANGELOG.md LICENSE NOTICE ./
COPY locks locks
COPY app app
COPY db db
COPY encoder encoder
COPY files files
COPY indexer indexer
COPY metrics metrics
COPY recognition recognition
COPY search search
COPY training training
# The backend makes uv take builds of torch for CPUs: those for GPUs are 3 GB larger.
RUN uv venv /opt/prismsearch \
    && uv pip install --no-cache --python /opt/prismsearch/bin/python --torch-backend=cpu -c constraints.txt '.[cpu,shots,server]'

FROM python:3.12.11-slim-bookworm
COPY --from=build /opt/prismsearch /opt/prismsearch
COPY --chmod=755 docker/prismsearch.sh docker/worker.sh /usr/local/bin/
# Volumes that are mounted there take over their owner. /work is this container's own; the others are shared.
RUN useradd --uid 1000 --create-home prismsearch \
    && install --directory --owner=prismsearch --group=prismsearch /media /work /models
ENV PATH=/opt/prismsearch/bin:$PATH HF_HOME=/models PYTHONUNBUFFERED=1
USER prismsearch
WORKDIR /home/prismsearch
ENTRYPOINT ["prismsearch.sh"]
CMD ["--help"]
