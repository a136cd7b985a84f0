# Headstart on a processor, with the default models and data. See docs/installation.md.
FROM python:3.11-slim-bookworm

# Any user may run it (docker run --user): what libraries cache goes to /tmp.
ENV HOME=/tmp PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /src
COPY constraints.txt requirements-samples.txt ./
RUN pip install --index-url https://download.pytorch.org/whl/cpu --extra-index-url https://pypi.org/simple \
      -c constraints.txt "torch==$(sed -n 's/^torch==//p' constraints.txt)+cpu" \
 && pip install --no-deps --no-compile --require-hashes -r requirements-samples.txt

COPY pyproject.toml README.md LICENSE ./
COPY conf conf
COPY experiments experiments
COPY pipeline pipeline
RUN pip install -c constraints.txt .

WORKDIR /data
ENTRYPOINT ["headstart"]
CMD ["study", "experiments=quickstart"]
