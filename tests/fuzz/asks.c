/* What the supervisor reads of others: asks of the steward, rows of the broker, last words of a process that dies, the letters of an
 * unlock secret's door. The first byte chooses. It is driven as it runs, through its sockets, over a machine of no processes; what is
 * done to disks and programs is not done here (its verbs are left out). */
#include "tests/fuzz/target.h"

#include "actors/base/log/log.h"
#include "proto/actor.h"
#include "proto/birth.h"
#include "supervisor/control_check.h"
#include "supervisor/reasons_told.h"
#include "supervisor/supervisor.h"

#include <jansson.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct supervisor s;
static struct process process = {.supervisor = &s, .node = 2, .log_read = -1, .log_write = -1, .gate = -1};
static struct process *processes[] = {&process};

static void begin(void)
{
	static char empty[1];
	static struct config config;
	for (unsigned i = 0; i < SETTINGS; i++)
		config.values[i].text = empty;
	log_threshold(LOG_ERROR);
	process.row = actor_row(STORE);
	reasons_begin(KIND_NONE, 0, 32);
	s = (struct supervisor){.loop = loop_new(), .processes = processes, .config = &config, .null = -1};
	s.roster.fd = s.logs.fd = s.control.fd = -1;
	s.machine.fd = -1;
}

static void check_reasons(void)
{
	static struct reason reasons[REASONS_MAX];
	struct reason_row row;
	unsigned count = reasons_copy(reasons, REASONS_MAX);
	for (unsigned i = 0; i < count; i++) {
		struct reason again = reasons[i];
		must(reason_sound(&again) && memcmp(&again, &reasons[i], sizeof again) == 0);
		reason_to_row(&reasons[i], &row);
		must(row.count && *row.name && *row.name != '?');
	}
	reasons_begin(KIND_NONE, 0, 32);
}

/* Many datagrams: a length (2, little endian), then as many bytes. */
static void datagrams(int fd, const uint8_t *bytes, size_t length)
{
	while (length > 2) {
		size_t size = (size_t)bytes[0] | (size_t)bytes[1] << 8;
		size = size < length - 2 ? size : length - 2;
		if (!size || send(fd, bytes + 2, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			return;
		loop_turn(s.loop, 0);
		bytes += 2 + size;
		length -= 2 + size;
	}
}

static void roster(const uint8_t *bytes, size_t length)
{
	int broker = roster_reopen(&s);
	must(broker >= 0);
	datagrams(broker, bytes, length);
	must(s.roster.acked <= s.roster.sent);
	for (unsigned i = 0; i < ROSTER_LIMITS; i++)
		must(memchr(s.roster.limits[i].name, '\0', sizeof s.roster.limits[i].name));
	roster_close(&s);
	close(broker);
	check_reasons();
}

/* An ask in its own size; all but the verbs that look at disks, read files or start a program. */
static void ask(const uint8_t *bytes, size_t length)
{
	struct control_ask ask = {0};
	struct control_row row[2];
	struct why why;
	bool declared[NODES_MAX + 1] = {[2] = true};
	memcpy(&ask, bytes, length < sizeof ask ? length : sizeof ask);
	enum err err = control_check(&ask, length, declared, &why);
	must(err == ERR_OK || *why.text);
	if (err == ERR_OK && control_changes(ask.verb))
		must(ask.authority == OPERATOR &&
		     (ask.verb == CONTROL_RELOAD || ask.kind || declared[ask.node]));
	if (ask.verb == CONTROL_RELOAD || ask.verb == CONTROL_ALERT || ask.verb == CONTROL_INFO ||
	    ask.verb == CONTROL_VERIFY || ask.verb == CONTROL_ALLOCATE)
		return;
	s.nodes[2] = (struct node){.declared = true};
	process.declared = true;
	s.count = 1;
	int steward = control_reopen(&s);
	must(steward >= 0 && send(steward, bytes, length, MSG_DONTWAIT) == (ssize_t)length);
	unsigned done = 0;
	for (unsigned i = 0; i < 3; i++) {
		loop_turn(s.loop, 0);
		control_turn(&s, now_ms() + i * 100000);
		for (ssize_t got; (got = recv(steward, row, sizeof row, MSG_DONTWAIT)) > 0;) {
			must(got == sizeof *row && row->serial == ask.serial);
			done += row->type == CONTROL_DONE;
		}
	}
	must(done == (err != ERR_MALFORMED));
	control_close(&s);
	close(steward);
	s.control = (struct control){.fd = -1};
	s.count = 0;
	process.state = PROCESS_WAITING;
	process.ending = process.wanted = false;
	check_reasons();
}

static void words(const uint8_t *bytes, size_t length)
{
	process.words = 0;
	last_words(&process, bytes, length);
	must(!process.words || reason_rule(process.words));
	check_reasons();
}

/* What alert_command gets on its standard input, and herald's webhook as its body: JSON, whatever the steward said. */
static void alert(const uint8_t *bytes, size_t length)
{
	struct alert_news news = {0};
	char text[ALERT_JSON];
	memcpy(&news, bytes, length < sizeof news ? length : sizeof news);
	size_t printed = alert_json(&news, "a \"machine\"", text);
	if (!printed)
		return;
	must(alert_row(news.code) && printed < sizeof text && text[printed - 1] == '\n');
	for (size_t i = 0; i + 1 < printed; i++)
		must(text[i] >= ' ' && text[i] <= '~');
	json_t *read = json_loadb(text, printed, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
	must(json_is_object(read));
	json_decref(read);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (!s.loop)
		begin();
	if (length < 2)
		return 0;
	switch (bytes[0] % 4) {
	case 0:
		roster(bytes + 1, length - 1);
		break;
	case 1:
		ask(bytes + 1, length - 1);
		break;
	case 2:
		words(bytes + 1, length - 1);
		break;
	case 3:
		alert(bytes + 1, length - 1);
		break;
	}
	return 0;
}
