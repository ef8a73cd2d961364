# One image for the three stages: `aos source`, `aos stream`, `aos sink`. Why it is as it is:
# docs/decisions/0005-one-image.md

# By tag, not by digest: a rebuild takes Debian's and Python's security fixes.
ARG PYTHON=3.11-slim-bookworm


FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv --without-pip /opt/aos

COPY requirements-prod.lock deploy/image/odbc.lock deploy/image/build.lock ./
RUN python -m pip --python /opt/aos/bin/python install --require-hashes --only-binary=:all: \
        -r requirements-prod.lock -r odbc.lock \
 && python -m pip install --require-hashes --only-binary=:all: -r build.lock

# pyodbc finds the driver by the name that source.url implies.
RUN mkdir /opt/aos/etc \
 && driver="$(find /opt/aos/lib -path '*/debian_ubuntu/*' -name 'libmsodbcsql-18*.so*')" \
 && test -f "$driver" \
 && printf '[ODBC Driver 18 for SQL Server]\nDriver=%s\n' "$driver" > /opt/aos/etc/odbcinst.ini

COPY pyproject.toml README.md LICENSE ./
COPY weather/ weather/
COPY schemas/ schemas/
COPY producers/ producers/
COPY stream_app/ stream_app/
COPY sink/ sink/
COPY operate/ operate/
COPY runtime/ runtime/
RUN python -m pip wheel --no-deps --no-index --no-build-isolation --wheel-dir dist . \
 && python -m pip --python /opt/aos/bin/python install --no-deps --no-index dist/*.whl


FROM python:${PYTHON} AS base
# What the ODBC driver and pyodbc load, and no more.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgssapi-krb5-2 libltdl7 libodbc2 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --home-dir /nonexistent --shell /usr/sbin/nologin aos
COPY --from=build /opt/aos /opt/aos
ENV PATH=/opt/aos/bin:$PATH \
    ODBCSYSINI=/opt/aos/etc \
    AOS_LOOPS=/tmp/aos-loops \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# The one place that is written to: everything else may be mounted read-only.
WORKDIR /tmp
USER 10001:10001


# Fills a SQL Server with the sample AOS; for docker-compose.yml alone.
FROM base AS sample-aos
COPY devstack/__init__.py /opt/sample/devstack/
COPY devstack/sample/ /opt/sample/devstack/sample/
COPY deploy/compose/sample_aos.py /opt/sample/
ENTRYPOINT ["python", "/opt/sample/sample_aos.py"]


FROM base AS aos
LABEL org.opencontainers.image.title="aos-stream" \
      org.opencontainers.image.description="Weather readings from AOS through Kafka into TimescaleDB" \
      org.opencontainers.image.licenses="Apache-2.0"
ENTRYPOINT ["aos"]
CMD ["--help"]
