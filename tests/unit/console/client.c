/* Asking many at once, against a small fake broker: a ROUTER in a thread that answers as each test tells it. */
#include "actors/console/client.h"

#include "proto/birth.h"
#include "proto/store.h"
#include "proto/steward.h"
#include "tests/unit/place.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BIRTH = 77, PERSON = 88 };

struct fake {
	char root[PLACE];
	void *context, *socket;
	pthread_t thread;
	/* What it does with an ask: sends what it likes. */
	void (*on_ask)(struct fake *fake, struct envelope *ask);
	bool welcomes;
	uint16_t hello_error;
	unsigned asked, at_once; /* asks received; the most that were unanswered */
	struct envelope held[64];
	unsigned held_count;
	uint8_t routing[64];
	size_t routing_length;
};

static struct fake fake;
static struct client client;
static char why[SENTENCE_TEXT];

static void send_back(const struct envelope *envelope, const void *body, size_t length)
{
	uint8_t header[ENVELOPE_BYTES];
	struct envelope e = *envelope;
	e.broker_birth = BIRTH;
	envelope_write(&e, header);
	zmq_send(fake.socket, fake.routing, fake.routing_length, ZMQ_SNDMORE);
	zmq_send(fake.socket, header, sizeof header, ZMQ_SNDMORE);
	zmq_send(fake.socket, body, length, 0);
}

static void reply_stat(const struct envelope *ask, uint64_t blobs)
{
	uint8_t packed[512];
	struct store_stat_reply reply = {.blobs = blobs};
	struct envelope e = *ask;
	e.type = ENVELOPE_REPLY;
	send_back(&e, packed, message_pack(&message_store_stat_reply, &reply, packed, sizeof packed));
}

static void reply_error(const struct envelope *ask, enum err err, const char *sentence)
{
	struct envelope e = *ask;
	e.type = ENVELOPE_ERROR;
	e.error = (uint16_t)err;
	send_back(&e, sentence, strlen(sentence));
}

static void on_message(struct envelope *envelope)
{
	if (envelope->type == ENVELOPE_HELLO && fake.hello_error) {
		reply_error(envelope, (enum err)fake.hello_error, "");
	} else if (envelope->type == ENVELOPE_HELLO && fake.welcomes) {
		struct envelope welcome = {.type = ENVELOPE_WELCOME, .caller_birth = PERSON};
		send_back(&welcome, "", 0);
	} else if (envelope->type == ENVELOPE_ASK) {
		fake.asked++;
		fake.on_ask(&fake, envelope);
	}
}

static void *run(void *context)
{
	uint8_t header[ENVELOPE_BYTES], body[4096];
	(void)context;
	for (;;) {
		int length = zmq_recv(fake.socket, fake.routing, sizeof fake.routing, 0);
		if (length < 0)
			break;
		fake.routing_length = (size_t)length;
		int got = zmq_recv(fake.socket, header, sizeof header, 0);
		zmq_recv(fake.socket, body, sizeof body, 0);
		struct envelope envelope;
		if (got == ENVELOPE_BYTES && envelope_read(header, ENVELOPE_BYTES, &envelope))
			on_message(&envelope);
	}
	int none = 0;
	zmq_setsockopt(fake.socket, ZMQ_LINGER, &none, sizeof none);
	zmq_close(fake.socket);
	return NULL;
}

static void start(void (*on_ask)(struct fake *, struct envelope *), const char *socket)
{
	char path[100], address[120];
	fake = (struct fake){.on_ask = on_ask, .welcomes = true};
	place_make(fake.root, "client");
	snprintf(path, sizeof path, "%s/run", fake.root);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(address, sizeof address, "ipc://%s/%s", path, socket);
	fake.context = zmq_ctx_new();
	fake.socket = zmq_socket(fake.context, ZMQ_ROUTER);
	cr_assert_eq(zmq_bind(fake.socket, address), 0);
	cr_assert_eq(pthread_create(&fake.thread, NULL, run, NULL), 0);
}

static void stop(void)
{
	char path[160];
	zmq_ctx_shutdown(fake.context);
	pthread_join(fake.thread, NULL);
	zmq_ctx_term(fake.context);
	static const char *const names[] = {"run/" SOCKET_OPERATE, "run/" SOCKET_READ};
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", fake.root, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof path, "%s/run", fake.root);
	rmdir(path);
	rmdir(fake.root);
}

static void begin(void (*on_ask)(struct fake *, struct envelope *))
{
	start(on_ask, SOCKET_OPERATE);
	cr_assert_eq(client_open(&client, fake.root, WELCOME_MS, (struct slow){0}, why), END_OK, "%s", why);
}

static void end(void)
{
	client_close(&client);
	stop();
}

/* `count` questions to stores 1, 2, … */
static void questions(struct question *all, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		all[i] = (struct question){.row = &row_store_stat, .kind = STORE, .node = (uint16_t)(i + 1)};
}

static uint64_t blobs_of(const struct question *question)
{
	const struct store_stat_reply *reply = question->reply;
	return question->err == ERR_OK && reply ? reply->blobs : 0;
}

/* -- connecting ---------------------------------------------------------------------------------------- */

static void say_nothing(struct fake *f, struct envelope *ask)
{
	(void)f, (void)ask;
}

Test(connect, which_door_is_which_authority)
{
	begin(say_nothing);
	cr_expect_eq(client.authority, OPERATOR);
	cr_expect_eq(client.birth, PERSON);
	end();
	start(say_nothing, SOCKET_READ);
	cr_assert_eq(client_open(&client, fake.root, WELCOME_MS, (struct slow){0}, why), END_OK);
	cr_expect_eq(client.authority, READER);
	end();
}

Test(connect, nothing_runs_there)
{
	cr_expect_eq(client_open(&client, "/tmp/console-no-such-root", WELCOME_MS, (struct slow){0}, why),
		     END_NO_MACHINE);
	cr_expect(strstr(why, "no machine runs there"), "%s", why);
}

Test(connect, a_socket_that_nobody_listens_at)
{
	start(say_nothing, SOCKET_OPERATE);
	char path[160];
	snprintf(path, sizeof path, "%s/run/" SOCKET_READ, fake.root);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%.107s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd); /* its file stays */
	snprintf(path, sizeof path, "%s/run/" SOCKET_OPERATE, fake.root);
	unlink(path);
	cr_expect_eq(client_open(&client, fake.root, WELCOME_MS, (struct slow){0}, why), END_NO_MACHINE, "%s",
		     why);
	stop();
}

Test(connect, another_build)
{
	start(say_nothing, SOCKET_OPERATE);
	fake.hello_error = ERR_FINGERPRINT;
	cr_expect_eq(client_open(&client, fake.root, WELCOME_MS, (struct slow){0}, why), END_FAILED);
	cr_expect_str_eq(why, err_sentence(ERR_FINGERPRINT));
	stop();
}

Test(connect, a_broker_that_does_not_answer)
{
	start(say_nothing, SOCKET_OPERATE);
	fake.welcomes = false;
	cr_expect_eq(client_open(&client, fake.root, 500, (struct slow){0}, why), END_UNKNOWN);
	stop();
}

Test(connect, a_path_that_is_too_long_is_said_to_be)
{
	char root[300];
	memset(root, 'r', sizeof root - 1);
	root[0] = '/';
	root[sizeof root - 1] = '\0';
	cr_expect_eq(client_open(&client, root, WELCOME_MS, (struct slow){0}, why), END_FAILED);
	cr_expect(strstr(why, "too long"), "%s", why);
}

/* -- asking -------------------------------------------------------------------------------------------- */

/* Holds eight, then answers them from the last to the first. */
static void answer_backwards(struct fake *f, struct envelope *ask)
{
	f->held[f->held_count++] = *ask;
	if (f->held_count > f->at_once)
		f->at_once = f->held_count;
	if (f->held_count == 8)
		while (f->held_count) {
			const struct envelope *e = &f->held[--f->held_count];
			reply_stat(e, 1000 + e->target_node);
		}
}

Test(ask, each_gets_its_own_answer_in_whatever_order)
{
	struct question all[80];
	begin(answer_backwards);
	questions(all, 80);
	client_ask(&client, all, 80, PATIENT);
	for (unsigned i = 0; i < 80; i++)
		cr_expect_eq(blobs_of(&all[i]), 1001 + i);
	cr_expect_eq(fake.asked, 80);
	end();
}

static void hold(struct fake *f, struct envelope *ask)
{
	f->held[f->held_count++ % 64] = *ask;
	if (f->held_count == ASKS_AT_ONCE)
		for (unsigned i = 0; i < ASKS_AT_ONCE; i++)
			reply_stat(&f->held[i], f->held_count);
	else if (f->held_count > ASKS_AT_ONCE)
		reply_stat(ask, f->held_count);
}

Test(ask, never_more_at_once_than_the_broker_allows)
{
	struct question all[40];
	begin(hold);
	questions(all, 40);
	client_ask(&client, all, 40, PATIENT);
	/* The first answers came when exactly ASKS_AT_ONCE were open: with one more they would say so. */
	for (unsigned i = 0; i < ASKS_AT_ONCE; i++)
		cr_expect_eq(blobs_of(&all[i]), ASKS_AT_ONCE);
	cr_expect_lt(ASKS_AT_ONCE, 32);
	end();
}

static void refuse(struct fake *f, struct envelope *ask)
{
	(void)f;
	reply_error(ask, ask->target_node == 1 ? ERR_DENIED : ERR_REFUSED,
		    ask->target_node == 1 ? "" : "no\033[2J!");
}

Test(ask, errors_come_with_a_clean_sentence)
{
	struct question all[2];
	char text[2 * SENTENCE_TEXT];
	begin(refuse);
	questions(all, 2);
	client_ask(&client, all, 2, PATIENT);
	cr_expect_eq(all[0].err, ERR_DENIED);
	cr_expect_str_eq(all[0].why, "");
	cr_expect_eq(all[1].err, ERR_REFUSED);
	cr_expect_str_eq(all[1].why, "no?[2J!");
	cr_expect_str_eq(err_text(all[1].err, all[1].why, text), "refused: no?[2J!");
	cr_expect_null(all[1].reply);
	end();
}

/* Everything that is not the answer, and then the answer. */
static void confuse(struct fake *f, struct envelope *ask)
{
	struct envelope e = *ask;
	(void)f;
	e.serial++;
	reply_stat(&e, 1);
	e = *ask;
	e.number = row_store_node.number;
	reply_stat(&e, 2);
	e = *ask;
	e.type = ENVELOPE_EVENT;
	send_back(&e, "", 0);
	reply_stat(ask, 3);
	reply_stat(ask, 4); /* only once */
}

Test(ask, what_is_not_its_answer_is_not_taken_for_it)
{
	struct question one;
	begin(confuse);
	questions(&one, 1);
	cr_expect_eq(client_ask_one(&client, &one), ERR_OK);
	cr_expect_eq(blobs_of(&one), 3);
	end();
}

static void mangle(struct fake *f, struct envelope *ask)
{
	struct envelope e = *ask;
	(void)f;
	e.type = ENVELOPE_REPLY;
	send_back(&e, "\xdd\xff\0\0\0", 5); /* an array of four thousand million elements */
}

Test(ask, a_reply_that_is_not_its_row_is_malformed)
{
	struct question one;
	begin(mangle);
	questions(&one, 1);
	cr_expect_eq(client_ask_one(&client, &one), ERR_MALFORMED);
	cr_expect_null(one.reply);
	cr_expect_eq(ending_of(one.err), END_FAILED);
	end();
}

static void answer_all_but_two(struct fake *f, struct envelope *ask)
{
	(void)f;
	if (ask->target_node != 2)
		reply_stat(ask, ask->target_node);
}

/* Its own deadline is an hour away: when this test ends, impatience ended it. */
Test(ask, one_that_hangs_ends_late_and_alone, .timeout = 120)
{
	struct question all[40];
	struct call_row slow = row_store_stat;
	slow.deadline_ms = 3600000;
	begin(answer_all_but_two);
	questions(all, 40);
	for (unsigned i = 0; i < 40; i++)
		all[i].row = &slow;
	client_ask(&client, all, 40, IMPATIENT);
	for (unsigned i = 0; i < 40; i++)
		cr_expect_eq(all[i].err, i == 1 ? ERR_LATE : ERR_OK, "%u", i);
	cr_expect_eq(ending_of(ERR_LATE), END_UNKNOWN);
	end();
}

/* In one picture it is waited for once, however many things are asked of it. */
Test(ask, who_was_silent_is_not_asked_again_in_the_same_picture, .timeout = 120)
{
	struct question all[2];
	struct call_row slow = row_store_stat;
	slow.deadline_ms = 3600000;
	begin(answer_all_but_two);
	questions(all, 2);
	all[0].row = all[1].row = &slow;
	client_ask(&client, all, 2, IMPATIENT);
	cr_assert_eq(all[1].err, ERR_LATE);
	unsigned asked = fake.asked;
	questions(all, 2);
	all[0].row = all[1].row = &slow;
	client_ask(&client, all, 2, IMPATIENT);
	cr_expect_eq(all[0].err, ERR_OK);
	cr_expect_eq(all[1].err, ERR_LATE);
	cr_expect_eq(fake.asked, asked + 1, "only the one that answers");
	all[0].err = ERR_OK;
	cr_expect_eq(client_ask_one(&client, &all[0]), ERR_OK);
	cr_expect_eq(client.silent_count, 0, "a patient question begins a new picture");
	end();
}

Test(ask, patience_waits_for_the_deadline_of_the_row)
{
	struct question all[2];
	struct call_row quick = row_store_stat;
	quick.deadline_ms = 300; /* longer than IMPATIENT_MS */
	begin(answer_all_but_two);
	questions(all, 2);
	all[0].row = all[1].row = &quick;
	client_ask(&client, all, 2, PATIENT);
	cr_expect_eq(all[0].err, ERR_OK);
	cr_expect_eq(all[1].err, ERR_LATE);
	cr_expect_geq(all[1].took_ns,
		      quick.deadline_ms * UINT64_C(1000000)); /* never sooner, however busy the machine */
	end();
}

static void vanish(struct fake *f, struct envelope *ask)
{
	(void)ask;
	if (++f->held_count == 3)
		zmq_ctx_shutdown(f->context);
}

Test(ask, the_broker_dies_and_all_are_gone)
{
	struct question all[3];
	begin(vanish);
	questions(all, 3);
	client_ask(&client, all, 3, PATIENT);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_eq(all[i].err, ERR_GONE);
	struct question next;
	questions(&next, 1);
	cr_expect_eq(client_ask_one(&client, &next), ERR_GONE); /* and nobody is asked after that */
	end();
}

Test(ask, a_value_that_breaks_its_row_is_not_sent)
{
	struct store_list list = {.most = 1001};
	struct question question = {.row = &row_store_list, .kind = STORE, .node = 1, .request = &list};
	begin(say_nothing);
	cr_expect_eq(client_ask_one(&client, &question), ERR_BAD_VALUE);
	end();
	cr_expect_eq(fake.asked, 0);
}

Test(ask, exit_codes_are_what_the_readme_says)
{
	cr_expect_eq(ending_of(ERR_OK), 0);
	cr_expect_eq(ending_of(ERR_REFUSED), 1);
	cr_expect_eq(ending_of(ERR_NOT_FOUND), 1);
	cr_expect_eq(END_USAGE, 2);
	cr_expect_eq(END_NO_MACHINE, 3);
	cr_expect_eq(ending_of(ERR_DENIED), 4);
	cr_expect_eq(ending_of(ERR_GONE), 5);
	cr_expect_eq(ending_of(ERR_BUSY), 5);
	cr_expect_eq(ending_of(ERR_LATE), 5);
	cr_expect_eq(ending_of(ERR_NOT_READY), 5);
	cr_expect_eq(ending_of(ERR_UNAVAILABLE), 5);
}
