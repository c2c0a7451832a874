/* Many who come to one HTTP port and are no use to it: silent, a byte of a head each second (slowloris), a byte of a body each second, or
 * requests without end. From as many addresses of 127.0.0.0/8 as asked for.
 *
 *   visitors PORT COUNT ADDRESSES SECONDS silent|head|body
 *       Says "there" once all have come that can; what is cut does not come again. After SECONDS: "came=… cut=… left=… longest=…": how
 *       many were hung up on, were not, and the longest that one of those was let stay, in ms.
 *   visitors PORT COUNT ADDRESSES SECONDS ask TARGET
 *       COUNT connections, each asking again as soon as it is answered: "asked=… 200=… 429=… 503=… other=… broken=…".
 *
 * Traffic to 127.0.0.1 only; bounded by SECONDS. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 256, AT_ONCE = 200, ASK_MAX = 512 };

struct visitor {
	int fd; /* -1: cut, or not yet there */
	bool there;
	uint64_t came, said; /* ms */
};

struct visit {
	struct sockaddr_in to;
	unsigned count, addresses;
	const char *way;
	char ask[ASK_MAX];
	int epoll;
	struct visitor *all;
	unsigned came, cut, asked, good, many, busy, other, broken;
	uint64_t longest;
};

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is(const struct visit *v, const char *way)
{
	return strcmp(v->way, way) == 0;
}

/* 127.1.0.1 and up, so that nobody else of this machine is taken for one of them. */
static void come(struct visit *v, unsigned index)
{
	struct visitor *one = &v->all[index];
	struct sockaddr_in from = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0x7f010001 + index % v->addresses)};
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP, .data.u32 = index};
	*one = (struct visitor){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
	setsockopt(one->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &(int){1}, sizeof(int));
	if (one->fd < 0 || bind(one->fd, (struct sockaddr *)&from, sizeof from) != 0 ||
	    (connect(one->fd, (struct sockaddr *)&v->to, sizeof v->to) != 0 && errno != EINPROGRESS)) {
		perror("visitors");
		exit(1);
	}
	one->came = now_ms();
	epoll_ctl(v->epoll, EPOLL_CTL_ADD, one->fd, &event);
}

static void leave(struct visit *v, unsigned index)
{
	struct visitor *one = &v->all[index];
	uint64_t stayed = now_ms() - one->came;
	close(one->fd);
	one->fd = -1;
	if (!one->there)
		return;
	one->there = false;
	v->cut++;
	v->longest = stayed > v->longest ? stayed : v->longest;
}

static void say(struct visit *v, unsigned index, const char *text, size_t length)
{
	struct visitor *one = &v->all[index];
	one->said = now_ms();
	if (send(one->fd, text, length, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		leave(v, index);
}

/* It has come: what it says first. */
static void begin(struct visit *v, unsigned index)
{
	static const char head[] = "GET /health HTTP/1.1\r\nHost: x\r\nX-";
	static const char body[] = "POST /store HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n";
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.u32 = index};
	v->all[index].there = true;
	v->came++;
	epoll_ctl(v->epoll, EPOLL_CTL_MOD, v->all[index].fd, &event);
	if (is(v, "head"))
		say(v, index, head, sizeof head - 1);
	else if (is(v, "body"))
		say(v, index, body, sizeof body - 1);
	else if (is(v, "ask"))
		say(v, index, v->ask, strlen(v->ask));
}

static void hear(struct visit *v, unsigned index)
{
	char answer[4096];
	ssize_t got = recv(v->all[index].fd, answer, sizeof answer - 1, 0);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		v->broken += is(v, "ask");
		leave(v, index);
		if (is(v, "ask"))
			come(v, index);
		return;
	}
	answer[got] = '\0';
	if (!is(v, "ask") || strncmp(answer, "HTTP/1.1 ", 9) != 0)
		return;
	unsigned long code = strtoul(answer + 9, NULL, 10);
	v->asked++;
	++*(code == 200 ? &v->good : code == 429 ? &v->many : code == 503 ? &v->busy : &v->other);
	say(v, index, v->ask, strlen(v->ask));
}

static void turn(struct visit *v, unsigned *next)
{
	struct epoll_event events[BATCH];
	unsigned coming = 0;
	for (unsigned i = 0; i < *next && coming < AT_ONCE; i++)
		coming += v->all[i].fd >= 0 && !v->all[i].there;
	for (; *next < v->count && coming < AT_ONCE; coming++)
		come(v, (*next)++);
	int count = epoll_wait(v->epoll, events, BATCH, 20);
	for (int i = 0; i < count; i++) {
		unsigned index = events[i].data.u32;
		if (v->all[index].fd >= 0 && !v->all[index].there && events[i].events & EPOLLOUT)
			begin(v, index);
		if (v->all[index].fd >= 0 && events[i].events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
			hear(v, index);
	}
	for (unsigned i = 0; (is(v, "head") || is(v, "body")) && i < *next; i++)
		if (v->all[i].there && now_ms() - v->all[i].said >= 1000)
			say(v, i, "a", 1);
}

int main(int argc, char **argv)
{
	struct visit v = {0};
	struct rlimit files;
	unsigned next = 0;
	if (argc < 6 || (argc != 7 && strcmp(argv[5], "ask") == 0)) {
		fprintf(stderr,
			"usage: visitors PORT COUNT ADDRESSES SECONDS silent|head|body|ask [TARGET]\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	v.to = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	v.to.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	v.count = (unsigned)strtoul(argv[2], NULL, 10);
	v.addresses = (unsigned)strtoul(argv[3], NULL, 10);
	v.way = argv[5];
	snprintf(v.ask, sizeof v.ask, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", argc == 7 ? argv[6] : "/health");
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < v.count + 64)
		files.rlim_max = v.count + 64;
	files.rlim_cur = files.rlim_max;
	v.epoll = epoll_create1(EPOLL_CLOEXEC);
	v.all = calloc(v.count + 1, sizeof *v.all);
	if (setrlimit(RLIMIT_NOFILE, &files) != 0 || !v.all || !v.addresses || !v.count)
		return 2;
	bool told = false;
	for (uint64_t end = now_ms() + (uint64_t)(1000 * strtod(argv[4], NULL)); now_ms() < end;) {
		turn(&v, &next);
		if (!told && v.came >= v.count) {
			puts("there");
			fflush(stdout);
			told = true;
		}
		if (told && !is(&v, "ask") && v.cut >= v.came)
			break;
	}
	if (is(&v, "ask"))
		printf("asked=%u 200=%u 429=%u 503=%u other=%u broken=%u\n", v.asked, v.good, v.many, v.busy,
		       v.other, v.broken);
	else
		printf("came=%u cut=%u left=%u longest=%llu\n", v.came, v.cut, v.came - v.cut,
		       (unsigned long long)v.longest);
	return 0;
}
