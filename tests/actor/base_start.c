/* From the birth record to readiness, and every way in which a start is refused. */
#include "tests/actor/base.h"

#include <string.h>
#include <sys/wait.h>

static bool is_called(pid_t pid, const char *name)
{
	char path[48], text[64] = "";
	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	FILE *file = fopen(path, "r");
	bool is = file && fgets(text, sizeof text, file) && strcmp(text, name) == 0;
	if (!is)
		note("it is called %s", text);
	if (file)
		fclose(file);
	return is;
}

void start_order(void)
{
	struct fake fake;
	struct frame hello;
	struct birth birth = base_birth();
	fake_begin(&fake);
	ok(fake_init(&fake, birth, NULL, NULL, 0), "--init makes its lasting state and ends with 0");
	ok(fake_init(&fake, birth, NULL, NULL, 0), "and does so again, where there is one already");
	fake_child(&fake, &birth, NULL, NULL, 0);
	ok(child_beats(&fake.child) && child_beats(&fake.child), "without a broker it lives");
	ok(!fake.child.ready, "but is not ready");
	fake_broker_begin(&fake);
	unsigned hellos = 0;
	while (hellos < 4 && fake_receive(&fake, &hello, WAIT_MS) && hello.type == ENVELOPE_HELLO &&
	       hello.serial == calls_fingerprint())
		hellos++;
	ok(hellos == 4, "it says HELLO, with its tables' fingerprint, again and again until it is welcome");
	child_look(&fake.child);
	ok(!fake.child.ready, "not being ready");
	fake_send(&fake,
		  &(struct frame){.type = ENVELOPE_WELCOME, .broker = fake.birth, .caller = birth.birth});
	ok(fake_turned(&fake), "welcome, it answers");
	child_beats(&fake.child);
	ok(fake.child.ready, "and is ready");
	while (fake_receive(&fake, &hello, 0)) /* those that crossed the WELCOME */
		;
	child_beats(&fake.child);
	ok(!fake_receive(&fake, &hello, 0), "it says HELLO no more");
	ok(strstr(fake.child.logged, "info life.start uid=") != NULL, "its start is in its log");
	ok(is_called(fake.child.pid, "wallet@2\n"), "ps shows which process it is");
	fake_end(&fake);
}

/* Starts it with this birth; true when it ends with the exit code, having said the words. */
static bool refuses(struct fake *fake, const struct start *start, int code, const char *words)
{
	child_start(&fake->child, tested_program(), start);
	bool ended = child_ends(&fake->child);
	child_end(&fake->child);
	bool right = ended && WIFEXITED(fake->child.status) && WEXITSTATUS(fake->child.status) == code &&
		     strstr(fake->child.logged, words);
	if (!right)
		note("status %x: %s", (unsigned)fake->child.status, fake->child.logged);
	return right;
}

void start_refused(void)
{
	struct fake fake;
	struct start right = {.birth = base_birth()}, wrong;
	fake_begin(&fake);
	right.self = fake.self;
	right.run = fake.run;
	wrong = right, wrong.birth.magic++;
	ok(refuses(&fake, &wrong, EXIT_CONFIG, "life.birth"), "a record that is none");
	wrong = right, wrong.birth.version++;
	ok(refuses(&fake, &wrong, EXIT_CONFIG, "life.birth"), "a record of another version");
	wrong = right, wrong.birth.kind = STORE;
	ok(refuses(&fake, &wrong, EXIT_CONFIG, "life.birth"), "another's record");
	wrong = right, wrong.cut = 1;
	ok(refuses(&fake, &wrong, EXIT_CONFIG, "life.birth"), "half a record");
	wrong = right, wrong.cut = sizeof wrong.birth;
	ok(refuses(&fake, &wrong, EXIT_CONFIG, "by hand"), "none at all");
	wrong = right, wrong.birth.uid++;
	ok(refuses(&fake, &wrong, EXIT_CONFIG, "life.wrong_uid"),
	   "to run as somebody else than the record says");
	fake_end(&fake);
}

void start_without_keys(void)
{
	struct fake fake;
	struct start start = {.birth = base_birth()};
	fake_begin(&fake);
	start.self = fake.self;
	start.run = fake.run;
	ok(refuses(&fake, &start, EXIT_CONFIG, "wallet.keys"),
	   "a start that fails ends with its exit code, before the bus");
	fake_end(&fake);
}
