/* The line to anvil, against a child that speaks as it is told. */
#include "actors/anvil/wire.h"

#include "tests/unit/place.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { WAIT_MS = 20000 };
#define HASH \
	"0x" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static unsigned idled;

static bool idle(void *context)
{
	(void)context;
	return ++idled < 100000;
}

/* Answers the first line that comes with `text`, and then closes, or waits to be ended. */
static pid_t serve(const char *path, const char *text, bool closes)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, strlen(path) + 1);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	cr_assert_eq(listen(listener, 1), 0);
	pid_t pid = fork();
	if (pid == 0) {
		char got[4096];
		int fd = accept(listener, NULL, NULL);
		for (size_t length = 0; length < sizeof got;) {
			ssize_t part = read(fd, got + length, sizeof got - length);
			length += part > 0 ? (size_t)part : 0;
			if (part <= 0 || got[length - 1] == '\n')
				break;
		}
		for (size_t at = 0; text[at];) {
			size_t most = strlen(text + at) < 7 ? strlen(text + at) : 7; /* in small pieces */
			if (write(fd, text + at, most) != (ssize_t)most)
				_exit(1);
			at += most;
		}
		if (!closes)
			pause();
		_exit(0);
	}
	close(listener);
	return pid;
}

struct here {
	char path[PLACE], socket[PLACE + 8];
	pid_t server;
	struct wire *wire;
};

static void begin(struct here *here, const char *text, bool closes)
{
	place_make(here->path, "wire");
	snprintf(here->socket, sizeof here->socket, "%s/ipc", here->path);
	here->server = serve(here->socket, text, closes);
	here->wire = calloc(1, sizeof *here->wire);
	here->wire->idle = idle;
	cr_assert(wire_open(here->wire, here->socket, WAIT_MS), "%s", here->wire->why);
}

static void end(struct here *here)
{
	wire_close(here->wire);
	free(here->wire);
	kill(here->server, SIGKILL);
	waitpid(here->server, NULL, 0);
	unlink(here->socket);
	cr_expect_eq(rmdir(here->path), 0);
}

Test(wire, an_answer_and_what_comes_between)
{
	struct here here;
	uint64_t number;
	begin(&here,
	      "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"0x1\","
	      "\"result\":\"" HASH
	      "\"}}\n\n{\"id\":7,\"result\":\"0x7\"}\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1f\"}\n",
	      false);
	json_t *result = wire_ask(here.wire, "eth_blockNumber", json_array(), WAIT_MS);
	cr_assert(wire_number(result, &number), "%s", here.wire->why);
	cr_expect_eq(number, 31);
	cr_expect_eq(here.wire->hash_count, 1);
	cr_expect_str_eq(here.wire->hashes[0], HASH);
	cr_expect_not(here.wire->head);
	json_decref(result);
	end(&here);
}

Test(wire, an_error_is_its_sentence)
{
	struct here here;
	begin(&here, "{\"id\":1,\"error\":{\"code\":-32003,\"message\":\"nonce too low\"}}\n", false);
	cr_expect_null(wire_ask(here.wire, "eth_sendRawTransaction", json_array(), WAIT_MS));
	cr_expect_str_eq(here.wire->why, "nonce too low");
	end(&here);
}

Test(wire, silence_ends_and_so_does_the_end)
{
	struct here here;
	begin(&here, "{\"id\":1,\"resu", false);
	cr_expect_null(wire_ask(here.wire, "eth_blockNumber", json_array(), 300));
	cr_expect_str_eq(here.wire->why, "it does not answer");
	end(&here);
	begin(&here, "not json\n{\"id\":1,", true);
	cr_expect_null(wire_ask(here.wire, "eth_blockNumber", json_array(), WAIT_MS));
	cr_expect_str_eq(here.wire->why, "it closed the line");
	end(&here);
}

Test(wire, numbers_are_quantities)
{
	static const char *const wrong[] = {"", "0x", "31", "0xg", "0x11111111111111111"};
	uint64_t number;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		json_t *value = json_string(wrong[i]);
		cr_expect_not(wire_number(value, &number), "%s", wrong[i]);
		json_decref(value);
	}
	json_t *most = json_string("0xffffffffffffffff"), *bare = json_integer(3);
	cr_expect(wire_number(most, &number) && number == UINT64_MAX);
	cr_expect_not(wire_number(bare, &number));
	json_decref(most);
	json_decref(bare);
}
