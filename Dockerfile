# stackproof with what its lab zone and its shadow routers need. It runs as a user; where user namespaces are refused to one,
# the lab says so (exit 4).
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=container
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=${VERSION}" -o /out/stackproof ./cmd/stackproof \
    && CGO_ENABLED=0 GOBIN=/out go install github.com/go-task/task/v3/cmd/task@v3.45.4

FROM debian:12-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates haproxy iproute2 iptables mariadb-server-core procps python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 65532 --create-home --shell /usr/sbin/nologin stackproof
COPY --from=build /out/stackproof /out/task /usr/local/bin/
COPY Taskfile.yml /home/stackproof/
ENV STACKPROOF=/usr/local/bin/stackproof
WORKDIR /home/stackproof
USER 65532:65532
ENTRYPOINT []
CMD ["stackproof", "--help"]
