/* What the commands of `warren` share: the command line, where the machine is, where the output goes, how a
 * command ends. */
#ifndef WARREN_CONSOLE_H
#define WARREN_CONSOLE_H

#include "actors/console/arguments.h"
#include "actors/console/client.h"
#include "actors/console/render.h"
#include "actors/console/values.h"

#include <limits.h>

struct console {
	struct arguments arguments;
	char root[PATH_MAX];
	const char *root_from; /* "because of --root" … */
	bool json;
	struct page out, err;
};

/* COMMAND(name, words, least, most, help, more): one row per command. `least` and `most` count its words. A
 * row makes the dispatch, the help, and the names that are offered for a wrong one. */
/* clang-format off */
#define COMMANDS(C)                                                                                                    \
	C(status, "", 0, 0, "whether all is well; every node, and every process that is not",                          \
	  "warren status -v\nwarren status --json | jq '.processes[] | select(.state != \"ready\")'")                  \
	C(doctor, "", 0, 0, "walls, limits, disk, clock, processes: what is missing, and what to do about it",         \
	  "warren doctor")                                                                                             \
	C(logs, "[ACTOR | NODE] …", 0, WORDS_MAX, "what processes wrote, merged by time; all of them when none is named", \
	  "warren logs store@1 -f\nwarren logs 2 --since 10m --level warn\nwarren logs warrend broker --grep denied")   \
	C(call, "ACTOR CALL [field=value] …", 1, WORDS_MAX, "ask a process; without CALL, or without its fields: their help", \
	  "warren call store@1 store_stat\nwarren call store@1 list most=10\nwarren call wallet@2")                    \
	C(calls, "[ACTOR]", 0, 1, "every call and event: who may, its effect, its deadline", "warren calls store")     \
	C(tap, "[ACTOR]", 0, 1, "what passes on the bus, decoded, as it passes; operators only",                       \
	  "warren tap store@1 --for 10s\nwarren tap --count 100 --json\nwarren tap --events")                          \
	C(map, "", 0, 0, "who may ask whom what, drawn from the rights", "warren map -v")                              \
	C(limits, "[ACTOR]", 0, 1, "queues, caches and tables: how full, how full they were, what was dropped",        \
	  "warren limits broker")                                                                                      \
	C(level, "ACTOR LEVEL", 2, 2, "how much a process logs: debug, info, warn, error",                             \
	  "warren level store@1 debug --for 2m")                                                                       \
	C(start, "TARGET", 1, 1, "start a process, a node (\"2\") or all of them that are declared", "warren start 2") \
	C(start_all, "", 0, 0, "start every node; the same as: start all", "warren start-all")                         \
	C(stop, "TARGET", 1, 1, "stop a process, a node or all nodes", "warren stop gateway@2\nwarren stop all")       \
	C(restart, "TARGET", 1, 1, "stop it, start it", "warren restart store@1")                                      \
	C(drain, "NODE | all", 1, 1, "let a node end its running work and take none on, then stop it",                 \
	  "warren drain 3\nwarren drain all --within 30s")                                                             \
	C(reload, "", 0, 0, "read the configuration again: new nodes are born, removed ones end", "warren reload")      \
	C(add, "", 0, 0, "a new node: its users, folder, keys and reservation (root)",                                 \
	  "warren add\nwarren add --tier silver")                                                                      \
	C(info, "", 0, 0, "what the machine is and carries: id, disk, memory, the rules, what would fit (root)",       \
	  "warren info")                                                                                               \
	C(list, "", 0, 0, "the nodes that are declared (root)", "warren list")                                         \
	C(tiers, "", 0, 0, "what each tier stores (root)", "warren tiers --profile multinode")                         \
	C(verify, "[NODE]", 0, 1, "whether nodes hold the storage that they claim (root)", "warren verify 2")          \
	C(remove, "NODE", 1, 1, "remove a node and its blobs for good; its keys are kept (root)", "warren remove 2 --stop") \
	C(reregister, "", 0, 0, "this machine has a new id, on purpose (root)", "warren reregister")                   \
	C(up, "", 0, 0, "start the machine (warrend start)", "warren up")                                              \
	C(down, "", 0, 0, "stop the machine and all its nodes (warrend stop)", "warren down")                          \
	C(alerts, "[ack ID]", 0, 2, "what is wrong and was said: each alert, since when, and who has seen it",           \
	  "warren alerts -v\nwarren alerts ack 12")                                                                    \
	C(metrics, "", 0, 0, "the machine's figures, in the form that Prometheus reads", "warren metrics | grep disk")  \
	C(unlock, "", 0, 0, "ask for the machine's passphrase and let its locked nodes start (root)", "warren unlock") \
	C(export, "N FILE", 2, 2, "the wallet key of node N as V3 keystore, under a passphrase that is asked for (root)", \
	  "warren export 1 node1.json")                                                                                \
	C(selftest, "[isolation]", 0, 1, "a burglar in every kind of jail, on a scratch machine (root)",                       \
	  "sudo warren selftest isolation -v")                                                                         \
	C(help, "[COMMAND]", 0, 1, "this, or all about one command", "warren help logs")

/* The options, as rows of struct option. */
#define OPTION_ROWS                                                                                                    \
	{NULL, "json", '\0', NULL, "the same as JSON, with stable keys"},                                              \
	{NULL, "root", '\0', "DIR", "the machine's folder (else $WARREN_ROOT, else the one this program stands in)"},  \
	{NULL, "help", 'h', NULL, "all about this command"},                                                           \
	{NULL, "version", '\0', NULL, "which build this is"},                                                          \
	{"status", "verbose", 'v', NULL, "every process too"},                                                         \
	{"alerts", "verbose", 'v', NULL, "those that were over lately too"},                                           \
	{"logs", "follow", 'f', NULL, "go on with what is written from now on, until Ctrl-C"},                         \
	{"logs", "lines", 'n', "N", "the last N lines; 50 unless --since is given"},                                   \
	{"logs", "since", '\0', "TIME", "no older than this: 90s, 10m, 2h, 1d"},                                       \
	{"logs", "level", '\0', "LEVEL", "this level and above: debug, info, warn, error"},                            \
	{"logs", "grep", '\0', "TEXT", "only lines with this text in them"},                                           \
	{"logs", "for", '\0', "TIME", "with -f: end after this long"},                                                 \
	{"tap", "count", 'n', "N", "end after N messages"},                                                            \
	{"tap", "for", '\0', "TIME", "end after this long: 10s, 5m"},                                                  \
	{"tap", "events", '\0', NULL, "only events, which readers may hear too"},                                      \
	{"map", "verbose", 'v', NULL, "every call, with its effect, deadline and help"},                               \
	{"selftest", "verbose", 'v', NULL, "every attempt, not only those that got through"},                          \
	{"level", "for", '\0', "TIME", "back to info after this long; 10m unless given, 0: never"},                    \
	{"drain", "within", '\0', "TIME", "then cut what still runs; 10m unless given"},                               \
	{"tiers", "profile", '\0', "NAME", "v4 or multinode"},                                                         \
	{"remove", "yes", '\0', NULL, "do not ask"},                                                                   \
	{"remove", "stop", '\0', NULL, "also while it runs"},                                                          \
	{"remove", "destroy-keys", '\0', "ADDRESS", "do not keep its keys: the address of the wallet that will be lost"}, \
	{"reregister", "yes", '\0', NULL, "do not ask"},                                                               \
	{"add", "tier", '\0', "TIER", "bronze, silver, gold or platinum"},                                             \
	{"add", "storage", '\0', "MB", "MiB it may hold, when it is not what the tier says"},                          \
	{"add", "import", '\0', "FILE", "its wallet key: a V3 keystore or 64 hex digits in FILE, or - to be asked"},     \
	{"add", "port", '\0', "PORT", "its HTTP port, when it is not 5001 + 100 for each earlier node"},               \
	{NULL, NULL, '\0', NULL, NULL}

#define DECLARE_COMMAND(name, ...) enum ending command_##name(struct console *console);
COMMANDS(DECLARE_COMMAND)
/* clang-format on */

/* A sentence to standard error, or {"ok": false, "error": …, "why": …} to standard output. Returns `ending`.
 */
enum ending complain(struct console *console, enum ending ending, const char *error, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The same about an ask that did not end ERR_OK; says what kind of authority was missing. */
enum ending complain_of(struct console *console, const struct client *client,
			const struct question *question);

/* client_open() with the console's root; complains when it fails. */
enum ending console_connect(struct console *console, struct client *client);

/* "store@1", "broker": who that is. Complains with the nearest names. */
enum ending parse_who(struct console *console, const char *text, enum kind *kind, uint16_t *node);

/* The value of an option that is a time; `otherwise` when it was not given. Complains. */
enum ending option_duration(struct console *console, const char *name, uint64_t otherwise, uint64_t *ms);
enum ending option_number(struct console *console, const char *name, uint64_t lowest, uint64_t highest,
			  uint64_t otherwise, uint64_t *number);

/* A descriptor that becomes readable on Ctrl-C or SIGTERM; both are blocked from then on. */
int interrupts(void);

#endif
