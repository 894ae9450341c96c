# Key Hygiene. Targets: `runtime` (production, what docker-compose.yml runs) and `demo` (adds the fake AWS; never for production).
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# --- what is installed: locked versions, every file checked against its hash -------------------------------------------
FROM ${PYTHON_IMAGE} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/
RUN /opt/venv/bin/python -m pip install --require-hashes --only-binary=:all: -r /tmp/requirements.txt

FROM packages AS demo-packages
COPY requirements-demo.txt /tmp/
RUN /opt/venv/bin/python -m pip install --require-hashes --only-binary=:all: -r /tmp/requirements-demo.txt

# --- the product: no compiler, no pip cache, no demo, nothing of the development tools ---------------------------------
FROM ${PYTHON_IMAGE} AS runtime
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=hygiene.settings
RUN groupadd --system --gid 10001 hygiene \
    && useradd --system --uid 10001 --gid hygiene --home-dir /tmp --no-create-home --shell /usr/sbin/nologin hygiene
COPY --from=packages /opt/venv /opt/venv
WORKDIR /app
COPY manage.py ./
COPY accounts accounts
COPY hygiene hygiene
COPY templates templates
COPY static static
COPY deploy/healthcheck.py deploy/gunicorn.conf.py deploy/
COPY deploy/aws deploy/aws
# The key signs nothing: it is needed to read the settings, lives for this one command, and is not in the image.
RUN python -m compileall -q accounts hygiene \
    && SECRET_KEY=only-while-static-files-are-collected python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf var && install -d -o hygiene -g hygiene -m 0700 var
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 CMD ["python", "deploy/healthcheck.py", "web"]
CMD ["gunicorn", "--config", "deploy/gunicorn.conf.py", "hygiene.wsgi:application"]

# --- for the demo only --------------------------------------------------------------------------------------------------
FROM runtime AS demo
COPY --from=demo-packages /opt/venv /opt/venv
COPY demo demo
COPY deploy/demo_service.py deploy/
HEALTHCHECK NONE

# --- what `docker build .` makes ------------------------------------------------------------------------------------------
FROM runtime
