/*
 * A plain load generator to compare the probe with: opens new connections from several source addresses, a request each, reads
 * the answer to its end and closes. One thread, one epoll.
 *
 * usage: connections COUNT CONCURRENCY FIRST_SOURCE SOURCES ADDRESS:PORT ADDRESS:PORT
 * Every SOURCES connections it changes over to the other address. Prints the seconds that it took.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in targets[2];
static char requests[2][256];
static int request_lengths[2];
static in_addr_t first_source;
static long sources, count, opened, closed_ok;
static int ep;

struct slot { int fd, side, sent; long bytes; };

static void fail(const char *what) { perror(what); exit(1); }

static void parse(const char *text, int side)
{
	char host[64];
	int port;
	if (sscanf(text, "%63[^:]:%d", host, &port) != 2) { fprintf(stderr, "bad address %s\n", text); exit(2); }
	targets[side].sin_family = AF_INET;
	targets[side].sin_port = htons(port);
	if (inet_pton(AF_INET, host, &targets[side].sin_addr) != 1) { fprintf(stderr, "bad address %s\n", text); exit(2); }
	request_lengths[side] = snprintf(requests[side], sizeof requests[side],
		"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", text);
}

static void start(struct slot *s)
{
	int one = 1;
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = s };
	from.sin_addr.s_addr = htonl(ntohl(first_source) + opened % sources);
	s->side = (opened / sources) % 2;
	s->sent = 0;
	s->bytes = 0;
	opened++;
	if ((s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) < 0) fail("socket");
	if (setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one)) fail("IP_BIND_ADDRESS_NO_PORT");
	if (setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one)) fail("TCP_NODELAY");
	if (bind(s->fd, (struct sockaddr *)&from, sizeof from)) fail("bind");
	if (connect(s->fd, (struct sockaddr *)&targets[s->side], sizeof targets[0]) && errno != EINPROGRESS) fail("connect");
	if (epoll_ctl(ep, EPOLL_CTL_ADD, s->fd, &ev)) fail("epoll_ctl");
}

static void step(struct slot *s)
{
	static char buffer[4096];
	if (!s->sent) {
		ssize_t n = write(s->fd, requests[s->side], request_lengths[s->side]);
		if (n < 0 && (errno == EAGAIN || errno == ENOTCONN)) return;
		if (n != request_lengths[s->side]) fail("write");
		s->sent = 1;
	}
	for (;;) {
		ssize_t n = read(s->fd, buffer, sizeof buffer);
		if (n < 0 && errno == EAGAIN) return;
		if (n < 0) fail("read");
		if (n > 0) {
			if (s->bytes == 0 && (n < 12 || memcmp(buffer + 9, "200", 3))) { fprintf(stderr, "not a 200\n"); exit(1); }
			s->bytes += n;
			continue;
		}
		if (s->bytes == 0) { fprintf(stderr, "empty answer\n"); exit(1); }
		close(s->fd);
		closed_ok++;
		if (opened < count) start(s);
		return;
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[256];
	struct timespec a, b;
	if (argc != 7) { fprintf(stderr, "usage: connections COUNT CONCURRENCY FIRST_SOURCE SOURCES TARGET CONTROL\n"); return 2; }
	count = atol(argv[1]);
	long concurrency = atol(argv[2]);
	first_source = inet_addr(argv[3]);
	sources = atol(argv[4]);
	parse(argv[5], 0);
	parse(argv[6], 1);
	if ((ep = epoll_create1(EPOLL_CLOEXEC)) < 0) fail("epoll_create1");
	struct slot *slots = calloc(concurrency, sizeof *slots);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (long i = 0; i < concurrency && opened < count; i++) start(&slots[i]);
	while (closed_ok < count) {
		int n = epoll_wait(ep, events, 256, 10000);
		if (n == 0) { fprintf(stderr, "nothing happens any more\n"); return 1; }
		if (n < 0 && errno != EINTR) fail("epoll_wait");
		for (int i = 0; i < n; i++) step(events[i].data.ptr);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%.6f\n", (b.tv_sec - a.tv_sec) + (b.tv_nsec - a.tv_nsec) / 1e9);
	return 0;
}
