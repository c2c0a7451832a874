/* What the steward reads of the supervisor and of its own file: rows of an answer, one a datagram, and the alerts of an earlier life. The
 * first byte chooses. An ask ends once, with texts that end and with no more rows than a reply may have; alerts that were read can be
 * shown, told, and written again to the same. */
#include "tests/fuzz/target.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/steward/alert_lines.h"
#include "actors/steward/alerts_inside.h"
#include "actors/steward/control.h"
#include "proto/call.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 1 << 20 };

struct ending {
	unsigned times;
};

static void check_packed(const struct message *message, const void *reply)
{
	static uint8_t packed[ROOM];
	must(message_pack(message, reply, packed, sizeof packed));
}

static void on_end(void *context, enum control_verb verb, enum err err, const char *why,
		   const struct control_answer *answer)
{
	struct ending *ending = context;
	must(++ending->times == 1 && why && strlen(why) <= 240);
	must((err == ERR_OK) == (answer != NULL));
	if (!answer)
		return;
	must(answer->count <= CONTROL_NODES);
	if (answer->status)
		check_packed(&message_steward_status_reply, answer->status);
	if (answer->info)
		check_packed(&message_steward_info_reply, answer->info);
	if (verb == CONTROL_VERIFY)
		check_packed(&message_steward_verify_reply,
			     &(struct steward_verify_reply){.nodes = answer->holdings,
							    .nodes_count = answer->count});
	if (verb == CONTROL_REASONS)
		check_packed(&message_steward_reasons_reply,
			     &(struct steward_reasons_reply){.reasons = answer->reasons,
							     .reasons_count = answer->count});
	if (verb == CONTROL_LIMITS)
		check_packed(&message_steward_limits_reply,
			     &(struct steward_limits_reply){.limits = answer->limits,
							    .limits_count = answer->count});
}

/* Verb (1), then datagrams: what it is (1), how many bytes of it are given (1), those bytes; the rest is zero. The lowest bit of what it
 * is: with the serial of the ask. */
static void rows(const uint8_t *bytes, size_t length)
{
	int pair[2];
	struct ending ending = {0};
	const struct wish wish = {.verb = (enum control_verb)(1 + bytes[0] % (CONTROL_VERBS - 1)),
				  .authority = OPERATOR};
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	struct control *control = control_open(pair[0], 7);
	must(control_ask(control, &wish, 1000, on_end, &ending) == ERR_KEPT);
	for (size_t at = 1, count = 0; at + 2 < length && count < 64; count++) {
		struct control_row row[2] = {0};
		size_t given = bytes[at + 1] < length - at - 2 ? bytes[at + 1] : length - at - 2;
		memcpy(&row[0].type, bytes + at + 2,
		       given < sizeof row - sizeof row->serial ? given : sizeof row - sizeof row->serial);
		row[0].serial = bytes[at] & 1 ? 8 : bytes[at];
		size_t sent = bytes[at] & 2 ? 1 + bytes[at] % sizeof row : sizeof row[0];
		must(send(pair[1], row, sent, MSG_DONTWAIT) == (ssize_t)sent);
		at += 2 + given;
		if (count % 8 == 7)
			must(control_receive(control));
	}
	must(control_receive(control));
	control_expire(control, 1000);
	must(ending.times == 1 && control_counts(control)->open == 0);
	control_close(&control);
	close(pair[0]);
	close(pair[1]);
}

static void on_news(void *context, const struct alert_news *news)
{
	(void)context;
	char text[ALERT_JSON], detail[ALERT_DETAIL + 1];
	must(news->seq && memchr(news->detail, '\0', sizeof news->detail));
	must(alert_json(news, "machine", text) && alert_loudness(news) <= LOG_ERROR);
	must(strlen(alert_quotable(news, detail)) <= ALERT_DETAIL);
}

/* A place of the file: head, digest, then what lasts. The digest is made right: who can write the file can do that, too. */
static void alerts_kept(const uint8_t *bytes, size_t length)
{
	enum { HEAD = 16, OF = HEAD + 32, SIZE = OF + 8 + sizeof(struct alerts_kept) };
	enum { NEWS = OF + 8 + offsetof(struct alerts_kept, news) };
	static int fd = -1;
	static uint8_t place[SIZE];
	static struct alert_line lines[ALERTS_MAX];
	const struct alert_moment now = {1000, 1760000000000};
	const uint64_t size = SIZE;
	if (fd < 0)
		fd = memfd_create("alerts", MFD_CLOEXEC);
	memset(place, 0, sizeof place);
	size_t half = length / 2 < NEWS - OF ? length / 2 : NEWS - OF; /* the alerts, then the news */
	memcpy(place + OF, bytes, half);
	memcpy(place + NEWS, bytes + half, length - half < SIZE - NEWS ? length - half : SIZE - NEWS);
	memcpy(place, "WALT\1\0\0\0", 8);
	memcpy(place + 8, &size, 8);
	sha256(place + OF, SIZE - OF, place + HEAD);
	must(ftruncate(fd, 0) == 0 && pwrite(fd, place, SIZE, 0) == SIZE);
	struct alerts *alerts = alerts_new(1000, on_news, NULL);
	struct alert_news news[NEWS_AT_ONCE];
	alerts_load(alerts, fd, &now);
	for (unsigned i = 0; i < 4; i++) {
		const struct alert_moment later = {now.ms + i * 20000, now.wall_ms + i * 20000};
		uint32_t count = alert_lines(alerts, lines);
		must(count <= ALERTS_MAX);
		check_packed(&message_steward_alerts_reply,
			     &(struct steward_alerts_reply){.alerts = lines, .alerts_count = count});
		alerts_raise(alerts, &(struct alert_claim){1, 3, STORE, "again"}, true, &later);
		alerts_tick(alerts, &later);
		unsigned waiting = alerts_news(alerts, CARRY_WEBHOOK, news);
		must(waiting <= NEWS_AT_ONCE);
		for (unsigned j = 0; j < waiting; j++)
			on_news(NULL, &news[j]);
		if (waiting)
			alerts_delivered(alerts, CARRY_WEBHOOK, news[0].seq);
	}
	must(alerts_save(alerts, fd));
	alerts_free(&alerts);
}

static void target(const uint8_t *bytes, size_t length)
{
	struct target target;
	char *text = x_new(length + 1);
	memcpy(text, bytes, length);
	if (target_parse(text, &target))
		must(target.node <= NODES_MAX && (target.node || target.kind));
	x_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	log_threshold(LOG_ERROR);
	if (length < 2)
		return 0;
	if (bytes[0] % 4 < 2)
		rows(bytes + 1, length - 1);
	else if (bytes[0] % 4 == 2)
		alerts_kept(bytes + 1, length - 1);
	else
		target(bytes + 1, length - 1);
	return 0;
}
