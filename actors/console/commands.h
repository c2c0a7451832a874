/* The commands of `warren` and their options, one row each. From here come the dispatch, the help, completion, the manual page,
 * and the names that are offered for a wrong one. */
#ifndef WARREN_CONSOLE_COMMANDS_H
#define WARREN_CONSOLE_COMMANDS_H

#include "actors/console/arguments.h"
#include "actors/console/client.h"

struct console;

/* C(symbol, name, words, least, most, help, more): one row per command. `least` and `most` count its words. A
 * row makes the dispatch, the help, and the names that are offered for a wrong one. */
/* clang-format off */
#define COMMANDS(C)                                                                                                    \
	C(status, "status", "", 0, 0, "whether all is well; every node, and every process that is not",                \
	  "warren status -v\nwarren status --json | jq '.processes[] | select(.state != \"ready\")'")                  \
	C(top, "top", "", 0, 0, "every process as it works: cpu, memory, descriptors, asks; on a terminal until q",    \
	  "warren top\nwarren top --once --json")                                                                      \
	C(doctor, "doctor", "", 0, 0, "walls, limits, disk, clock, processes: what is missing, and what to do about it", \
	  "warren doctor")                                                                                             \
	C(logs, "logs", "[ACTOR | NODE] …", 0, WORDS_MAX,                                                              \
	  "what processes wrote, merged by time; all of them when none is named",                                      \
	  "warren logs store@1 -f\nwarren logs 2 --since 10m --level warn\nwarren logs warrend broker --grep denied")  \
	C(call, "call", "ACTOR CALL [field=value] …", 1, WORDS_MAX,                                                    \
	  "ask a process; without CALL, or without its fields: their help",                                            \
	  "warren call store@1 store_stat\nwarren call store@1 list most=10\nwarren call wallet@2")                    \
	C(trace, "trace", "ACTOR CALL [field=value] …", 2, WORDS_MAX,                                                  \
	  "ask a process, and show every ask that this causes in others; operators only",                              \
	  "warren trace gateway@1 gateway_probe")                                                                      \
	C(calls, "calls", "[ACTOR]", 0, 1, "every call and event: who may, its effect, its deadline", "warren calls store") \
	C(why, "why", "[node] [TARGET | CID | REASON]", 0, 2,                                                          \
	  "why something is as it is: the fact, the rule, the next try, what you can do",                              \
	  "warren why\nwarren why node 3\nwarren why store@1\nwarren why ask-denied --json")                           \
	C(tap, "tap", "[ACTOR]", 0, 1, "what passes on the bus, decoded, as it passes; operators only",                \
	  "warren tap store@1 --for 10s\nwarren tap --count 100 --json\nwarren tap --events")                          \
	C(map, "map", "", 0, 0, "who may ask whom what, drawn from the rights", "warren map -v")                       \
	C(limits, "limits", "[ACTOR]", 0, 1, "queues, caches and tables: how full, how full they were, what was dropped", \
	  "warren limits broker")                                                                                      \
	C(level, "level", "ACTOR LEVEL", 2, 2, "how much a process logs: debug, info, warn, error",                    \
	  "warren level store@1 debug --for 2m")                                                                       \
	C(start, "start", "TARGET", 1, 1, "start a process, a node (\"2\") or all of them that are declared", "warren start 2") \
	C(start_all, "start-all", "", 0, 0, "start every node; the same as: start all", "warren start-all")            \
	C(stop, "stop", "TARGET", 1, 1, "stop a process, a node or all nodes", "warren stop gateway@2\nwarren stop all") \
	C(restart, "restart", "TARGET", 1, 1, "stop it, start it", "warren restart store@1")                           \
	C(drain, "drain", "NODE | all", 1, 1, "let a node end its running work and take none on, then stop it",        \
	  "warren drain 3\nwarren drain all --within 30s")                                                             \
	C(reload, "reload", "", 0, 0, "read the configuration again: new nodes are born, removed ones end", "warren reload") \
	C(add, "add", "", 0, 0, "a new node: its users, folder, keys and reservation (root)",                          \
	  "warren add\nwarren add --tier silver")                                                                      \
	C(info, "info", "", 0, 0, "what the machine is and carries: id, disk, memory, the rules, what would fit (root)", \
	  "warren info")                                                                                               \
	C(list, "list", "", 0, 0, "the nodes that are declared (root)", "warren list")                                 \
	C(tiers, "tiers", "", 0, 0, "what each tier stores (root)", "warren tiers --profile multinode")                \
	C(verify, "verify", "[NODE | PROOF]", 0, 1,                                                                    \
	  "whether nodes hold the storage that they claim (root); or whether a proof holds (anybody)",                 \
	  "warren verify 2\nwarren verify proof.json --cid CID --with-root HEX --key HEX --challenge HEX")              \
	C(prove, "prove", "NODE CID", 2, 2, "a node's signed proof that it holds a blob, as JSON; operators only",     \
	  "warren prove 1 bafkrei… --samples 32 > proof.json")                                                         \
	C(cid, "cid", "FILE …", 1, WORDS_MAX, "what files are called in a store: CID, the root that a verifier keeps, size", \
	  "warren cid photo.jpg\nwarren cid *.jpg > list; warren-auditor http://node:5001 list")                       \
	C(scan, "scan", "NODE | all", 1, 1,                                                                            \
	  "have a store read and hash all that it holds; ends 1 when something is corrupt; operators only",            \
	  "warren scan 1 --wait\nwarren scan all --wait --json\nwarren scan 1 --corrupt")                              \
	C(export_blobs, "export-blobs", "N DIR", 2, 2,                                                                 \
	  "the blobs of node N as files: DIR/blobs/CID/data and meta.json; goes on where it stopped",                  \
	  "warren export-blobs 1 /mnt/usb/blobs")                                                                      \
	C(import_blobs, "import-blobs", "N DIR", 2, 2,                                                                 \
	  "store DIR/blobs/CID/data on node N, each checked against its name; goes on where it stopped",               \
	  "warren import-blobs 2 /mnt/usb/blobs\nwarren import-blobs 1 ~/bytecave/data --json")                         \
	C(blobs, "blobs", "NODE", 1, 1, "the blobs of a node in the order of their CIDs: size, age, pin, trash",        \
	  "warren blobs 1\nwarren blobs 1 --after bafkrei… --most 1000 --json\nwarren blobs 1 --trash\n"               \
	  "warren call store@1 store_restore cid=bafkrei…\nwarren call store@1 store_purge cid=bafkrei…")              \
	C(pin, "pin", "NODE CID", 2, 2, "a blob that is neither deleted nor collected, until it is unpinned; operators only", \
	  "warren pin 1 bafkrei…\nwarren blobs 1 --pinned")                                                            \
	C(unpin, "unpin", "NODE CID", 2, 2, "take a pin away; operators only", "warren unpin 1 bafkrei…")              \
	C(gc, "gc", "NODE", 1, 1,                                                                                      \
	  "collect now, by the node's settings gc, gc_days and gc_free_mb; never what is pinned. There is no replication " \
	  "yet, so nothing is collected unless gc was turned on. With --dry-run it shows the list and touches nothing", \
	  "warren gc 1 --dry-run\nwarren gc 1\nwarren gc 1 --release")                                                 \
	C(remove, "remove", "NODE", 1, 1,                                                                              \
	  "remove a node and its blobs for good; its keys are kept (root)", "warren remove 2 --stop")                  \
	C(reregister, "reregister", "", 0, 0, "this machine has a new id, on purpose (root)", "warren reregister")     \
	C(up, "up", "", 0, 0, "start the machine (warrend start)", "warren up")                                        \
	C(down, "down", "", 0, 0,                                                                                      \
	  "stop the machine and all its nodes within 10 s, whatever is under way (warrend stop)",                      \
	  "warren down\nwarren drain all && warren down")                                                              \
	C(chain, "chain", "", 0, 0, "which chain this machine speaks to, where, and the contracts it knows there",     \
	  "warren chain\nwarren chain --json | jq -r .contracts.RelayManager")                                         \
	C(alerts, "alerts", "[ack ID]", 0, 2, "what is wrong and was said: each alert, since when, and who has seen it", \
	  "warren alerts -v\nwarren alerts ack 12")                                                                    \
	C(metrics, "metrics", "", 0, 0,                                                                                \
	  "the machine's figures, in the form that Prometheus reads", "warren metrics | grep disk")                    \
	C(bundle, "bundle", "[FILE]", 0, 1,                                                                            \
	  "one archive for whoever helps you: state, reasons, limits, configuration, logs; no secret, at most 10 MiB", \
	  "warren bundle\nwarren bundle /tmp/for-support.tar.gz")                                                      \
	C(unlock, "unlock", "", 0, 0, "ask for the machine's passphrase and let its locked nodes start (root)", "warren unlock") \
	C(export, "export", "N FILE", 2, 2,                                                                            \
	  "the wallet key of node N as V3 keystore, under a passphrase that is asked for (root)",                      \
	  "warren export 1 node1.json")                                                                                \
	C(backup, "backup", "FILE", 1, 1,                                                                              \
	  "keys, configuration and what is stored in one sealed file, which is restored once to see that it works (root)", \
	  "warren backup /mnt/usb/warren.backup\nwarren backup --blobs --replace FILE\nwarren backup --verify FILE") \
	C(restore, "restore", "FILE", 1, 1,                                                                            \
	  "the machine of a backup, at a --root that is missing or empty (root)",                                      \
	  "warren --root /var/lib/warren/nodes restore warren.backup")                                                 \
	C(selftest, "selftest", "[isolation]", 0, 1, "a burglar in every kind of jail, on a scratch machine (root)",   \
	  "sudo warren selftest isolation -v")                                                                         \
	C(complete, "complete", "WORD … PREFIX", 0, WORDS_MAX, "", "") /* for the shells; no help: not shown */        \
	C(help, "help", "[COMMAND]", 0, 1, "this, or all about one command", "warren help logs\nwarren help --man warren.conf")

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
	{"top", "once", '\0', NULL, "print it once and end"},                                                          \
	{"top", "every", '\0', "TIME", "how often it is drawn anew; 2s unless given"},                                 \
	{"help", "man", '\0', "PAGE", "a manual page, as roff: warren, warren.conf"},                                  \
	{"map", "verbose", 'v', NULL, "every call, with its effect, deadline and help"},                               \
	{"selftest", "verbose", 'v', NULL, "every attempt, not only those that got through"},                          \
	{"selftest", "matrix", '\0', NULL, "then take every wall down in turn, and name what one wall alone holds (minutes)"}, \
	{"prove", "samples", '\0', "N", "how many leaves, 1 to 64; 8 unless given"},                                   \
	{"prove", "challenge", '\0', "HEX", "32 bytes that nobody could know before; random unless given"},            \
	{"verify", "cid", '\0', "CID", "of a proof: the blob it must be about"},                                       \
	{"verify", "with-root", '\0', "HEX", "of a proof: the blob's root, as warren cid prints it"},                  \
	{"verify", "key", '\0', "HEX", "of a proof: the node's public key, as /info tells it"},                        \
	{"verify", "challenge", '\0', "HEX", "of a proof: what was asked; without it an old answer may pass for an hour"}, \
	{"verify", "samples", '\0', "N", "of a proof: at least so many; 8 unless given"},                              \
	{"blobs", "after", '\0', "CID", "those above this one; the last line of a page says which"},                   \
	{"blobs", "most", 'n', "N", "at most N of them, 1 to 100000; 100 unless given"},                               \
	{"blobs", "pinned", '\0', NULL, "only what is pinned"},                                                        \
	{"blobs", "trash", '\0', NULL, "only what is in the trash"},                                                   \
	{"gc", "dry-run", '\0', NULL, "show what would go, and touch nothing; readers may too"},                       \
	{"gc", "release", '\0', NULL, "after a rebuilt index, which loses pins: what must stay is pinned again"},      \
	{"level", "for", '\0', "TIME", "back to info after this long; 10m unless given, 0: never"},                    \
	{"drain", "within", '\0', "TIME", "then cut what still runs; 10m unless given"},                               \
	{"scan", "wait", '\0', NULL, "until it has ended, with a bar on a terminal"},                                   \
	{"scan", "corrupt", '\0', NULL, "name what is known to be corrupt; without --wait nothing is scanned"},        \
	{"export-blobs", "url", '\0', "URL", "where the node answers, when that is not http://127.0.0.1 and its port"}, \
	{"import-blobs", "url", '\0', "URL", "where the node answers, when that is not http://127.0.0.1 and its port"}, \
	{"tiers", "profile", '\0', "NAME", "v4 or multinode"},                                                         \
	{"remove", "yes", '\0', NULL, "do not ask"},                                                                   \
	{"remove", "stop", '\0', NULL, "also while it runs"},                                                          \
	{"remove", "destroy-keys", '\0', "ADDRESS", "do not keep its keys: the address of the wallet that will be lost"}, \
	{"backup", "blobs", '\0', NULL, "the blobs too; else only their names, and a restored node begins empty"},     \
	{"backup", "replace", '\0', NULL, "FILE may be there already: it is the old one until the new one is verified"}, \
	{"backup", "verify", '\0', NULL, "write nothing: restore FILE into a scratch folder and compare"},             \
	{"backup", "passphrase-file", '\0', "FILE", "its first line is the passphrase; else it is asked for"},         \
	{"restore", "passphrase-file", '\0', "FILE", "its first line is the passphrase; else it is asked for"},        \
	{"reregister", "yes", '\0', NULL, "do not ask"},                                                               \
	{"add", "tier", '\0', "TIER", "bronze, silver, gold or platinum"},                                             \
	{"add", "storage", '\0', "MB", "MiB it may hold, when it is not what the tier says"},                          \
	{"add", "import", '\0', "FILE", "its wallet key: a V3 keystore or 64 hex digits in FILE, or - to be asked"},   \
	{"add", "port", '\0', "PORT", "its HTTP port, when it is not 5001 + 100 for each earlier node"},               \
	{NULL, NULL, '\0', NULL, NULL}

/* clang-format on */

struct command {
	const char *name, *words;
	unsigned least, most;
	const char *help, *more; /* `more`: examples, a line each */
	enum ending (*run)(struct console *console);
};

const struct command *command_at(unsigned index); /* NULL past the last */
const struct command *command_by_name(const char *name);
const struct option *option_rows(void); /* ends with a row without a name */

#endif
