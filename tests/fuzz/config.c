/* Configuration files, as the supervisor and `warrend check` read them: a machine's and a node's words, a policy, a whole folder; and the
 * small words in them. The first byte chooses. Root writes these files, so they are not attacked but torn, and pasted from anywhere: every
 * text is either taken, within the bounds of its row, or a mistake is told. */
#include "tests/fuzz/target.h"

#include "actors/base/memory/memory.h"
#include "actors/console/scrub.h"
#include "proto/policy.h"
#include "proto/shards.h"
#include "proto/u256.h"
#include "supervisor/config_file.h"
#include "supervisor/config_rows.h"
#include "supervisor/policy_file.h"
#include "supervisor/uids.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* libconfig 1.5 forgets the beginning of a text that has no end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static int etc = -1;
static char folder[FUZZ_PLACE];
static const char *const names[] = {"warren.conf", "node1.conf", "policy.conf", "policy1.conf", "node2.conf"};
enum { NAMES = sizeof names / sizeof *names };

static void leave(void)
{
	for (unsigned i = 0; i < NAMES; i++)
		unlinkat(etc, names[i], 0);
	unlinkat(etc, "uids", 0);
	rmdir(folder);
}

static void enter(void)
{
	must(*fuzz_place(folder) && (etc = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0);
	umask(022);
	atexit(leave);
}

static void put(const char *name, const void *bytes, size_t length)
{
	int fd = openat(etc, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	close(fd);
}

static void check_values(const struct value *values)
{
	struct why why;
	for (unsigned i = 0; i < SETTINGS; i++)
		must(!values[i].text || setting_check(i, &values[i], &why));
}

static void one_file(bool of_node, const uint8_t *bytes, size_t length)
{
	struct mistakes mistakes = {0}, notes = {0};
	struct value given[SETTINGS] = {0};
	put(names[of_node], bytes, length);
	must(config_file_read(etc, names[of_node], "shown", of_node, given, &mistakes, &notes));
	check_values(given);
	for (unsigned i = 0; of_node && i < SETTINGS; i++)
		must(!given[i].text || setting_row(i)->where == WHERE_NODE);
	values_free(given);
	mistakes_end(&mistakes);
	mistakes_end(&notes);
}

static void policy(const uint8_t *bytes, size_t length)
{
	static struct policy read;
	struct node_config node = {.node = 1};
	struct config config = {.nodes = &node, .count = 1};
	struct mistakes mistakes = {0};
	char again[POLICY_TEXT];
	put("policy.conf", bytes, length);
	policy_files_read(etc, "etc", &config, &mistakes);
	must((node.policy != NULL) == !mistakes.count);
	if (node.policy)
		must(policy_parse(node.policy, &read) && policy_print(&read, again) &&
		     strcmp(again, node.policy) == 0);
	x_free(&node.policy);
	mistakes_end(&mistakes);
}

/* The five files one after the other, with a NUL between them. */
static void whole_folder(const uint8_t *bytes, size_t length)
{
	struct mistakes mistakes = {0};
	for (unsigned i = 0; i < NAMES; i++) {
		const uint8_t *end = length ? memchr(bytes, 0, length) : NULL;
		size_t part = end ? (size_t)(end - bytes) : length;
		put(names[i], bytes, part);
		part += end != NULL;
		bytes += part;
		length -= part;
	}
	struct config *config = config_load(etc, "etc", &mistakes);
	must((config != NULL) == !mistakes.count);
	for (unsigned i = 0; config && i < config->count; i++) {
		char told[8192];
		check_values(config->nodes[i].values);
		must(config->nodes[i].values[SETTING_port].number &&
		     config->nodes[i].values[SETTING_quota_mb].number);
		for (unsigned kind = 0; kind < KINDS; kind++)
			if (actor_row(kind))
				config_told(config, &config->nodes[i], actor_row(kind), told, sizeof told);
	}
	config_free(&config);
	mistakes_end(&mistakes);
	for (unsigned i = 1; i < NAMES; i++)
		unlinkat(etc, names[i], 0);
}

static void words(const char *text, size_t length)
{
	struct shards shards;
	struct policy_method method;
	struct u256 number;
	char why[SHARDS_WHY], ranges[SHARDS_TEXT];
	uint32_t value, walls, base;
	struct why wrong;
	if (!shards_parse(text, 1024, &shards, why)) {
		must(shards.spans <= sizeof shards.span / sizeof *shards.span &&
		     strlen(shards_text(&shards, ranges)) < SHARDS_TEXT);
		for (unsigned i = 0; i < shards.spans; i++)
			must(shards.span[i].start <= shards.span[i].end && shards.span[i].end < 1024);
	}
	if (shards_from_json(text, ranges))
		must(strlen(ranges) < sizeof ranges);
	policy_method_read(text, &method);
	u256_parse(text, length, 18, &number);
	if (setting_number(text, &value))
		must(*text >= '0' && *text <= '9');
	walls_named(text, &walls, &wrong);
	must(config_file_node(text) <= NODES_MAX);
	put("uids", text, length);
	if (uids_read(etc, &base))
		must(base >= UIDS_FIRST);
}

/* What a bundle shows of a file: of texts that hold a secret, nothing. */
static void scrub(const char *text, size_t length)
{
	struct secrets secrets = {0};
	size_t left = length;
	char *shown = scrub_config(text, &left, length % 2, &secrets);
	must(shown && shown[left] == '\0');
	shown = scrub_text(shown, &left, &secrets);
	must(shown && shown[left] == '\0');
	for (unsigned i = 0; i < secrets.count; i++)
		must(!memmem(shown, left, secrets.text[i], strlen(secrets.text[i])));
	x_free(&shown);
	secrets_end(&secrets);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (etc < 0)
		enter();
	if (length == 0)
		return 0;
	char *text = x_new(length);
	memcpy(text, bytes + 1, length - 1);
	switch (bytes[0] % 6) {
	case 0:
	case 1:
		one_file(bytes[0] % 6, bytes + 1, length - 1);
		break;
	case 2:
		policy(bytes + 1, length - 1);
		break;
	case 3:
		whole_folder(bytes + 1, length - 1);
		break;
	case 4:
		words(text, length - 1);
		break;
	case 5:
		scrub(text, length - 1);
		break;
	}
	x_free(&text);
	return 0;
}
