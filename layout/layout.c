/* warren-layout: blobs between a node and the folders of seed 003 (blobs/CID/data, meta.json). Runs as whoever starts it; touches one
 * folder and speaks HTTP to one address; holds no key. When it dies, what it had finished stays, whole, and the same again goes on. */
#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"
#include "layout/carry.h"
#include "proto/version.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int usage(void)
{
	fputs("usage: warren-layout [--json] [--key HEX] import|export URL DIR\n"
	      "  import  store DIR/blobs/CID/data on the node, each checked against its name\n"
	      "  export  the blobs whose CIDs come in on standard input, a line each, into DIR/blobs\n"
	      "  URL     the node: http://127.0.0.1:5001\n"
	      "  --key   the node's public key, 64 hex digits: another node is refused\n",
	      stderr);
	return EXIT_USAGE;
}

/* That who answers is who was meant. */
static int check_key(struct node *node, const char *wanted, struct report *report)
{
	struct key key, told;
	char peer[PEER_TEXT];
	if (!hex_parse(wanted, strlen(wanted), key.bytes, sizeof key.bytes))
		return report_failed(report, EXIT_USAGE, "--key is 64 hex digits");
	enum node_end end = node_info(node, &told, peer);
	if (end != NODE_OK)
		return report_failed(report, end == NODE_SILENT ? EXIT_SILENT : EXIT_REFUSED, "%s",
				     node_why(node));
	if (memcmp(&key, &told, sizeof key) != 0)
		return report_failed(report, EXIT_REFUSED, "another node answers there: %s", peer);
	return 0;
}

static int carry(struct node *node, bool out, const char *path, struct report *report)
{
	if (out && mkdir(path, 0700) != 0 && errno != EEXIST)
		return report_failed(report, EXIT_REFUSED, "DIR cannot be made: %s", strerror(errno));
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return report_failed(report, EXIT_REFUSED, "DIR cannot be opened: %s", strerror(errno));
	int code = out ? carry_out(node, folder, stdin, report) : carry_in(node, folder, report);
	close(folder);
	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{"key", required_argument, NULL, 'k'},
						{"version", no_argument, NULL, 'v'},
						{NULL, 0, NULL, 0}};
	struct report report = {0};
	const char *key = NULL;
	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) >= 0;) {
		if (option == 'v')
			return puts("warren-layout " WARREN_VERSION) < 0;
		if (option == '?')
			return usage();
		report.json |= option == 'j';
		key = option == 'k' ? optarg : key;
	}
	if (argc - optind != 3)
		return usage();
	bool out = strcmp(argv[optind], "export") == 0;
	if (!out && strcmp(argv[optind], "import") != 0)
		return usage();
	report.done_as = out ? "exported" : "imported";
	umask(0077);
	crypto_warm();
	struct node *node = node_open(argv[optind + 1]);
	if (!node)
		return report_failed(&report, EXIT_USAGE, "URL is http://HOST:PORT or https://HOST:PORT");
	int code = key ? check_key(node, key, &report) : 0;
	if (!code)
		code = carry(node, out, argv[optind + 2], &report);
	node_close(&node);
	json_decref(report.refusals);
	return code;
}
