/* `warren export-blobs` and `warren import-blobs`: finds out which node is meant and what it holds, and hands over to warren-layout,
 * which speaks to it over HTTP like any stranger and reads and writes the files. */
#include "actors/console/handover.h"
#include "actors/console/processes.h"
#include "actors/console/units.h"

#include "proto/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 1000, URL_ROOM = 64, KEY_TEXT = 65 };

struct carrying {
	struct console *console;
	struct client *client;
	uint16_t node;
	char url[URL_ROOM], key[KEY_TEXT];
};

static enum ending find_port(struct carrying *carrying)
{
	const struct steward_status_reply *status = NULL;
	enum ending ending = ask_status(carrying->console, carrying->client, &status);
	for (uint32_t i = 0; ending == END_OK && i < status->nodes_count; i++)
		if (status->nodes[i].node == carrying->node)
			snprintf(carrying->url, sizeof carrying->url, "http://127.0.0.1:%u",
				 status->nodes[i].port);
	if (ending == END_OK && !carrying->url[0])
		return complain(carrying->console, END_USAGE, "usage",
				"this machine has no node %u (warren status)", carrying->node);
	return ending;
}

/* So that whoever else has its port is not taken for it. */
static enum ending find_key(struct carrying *carrying)
{
	struct question question = {.row = &row_store_node, .kind = STORE, .node = carrying->node};
	if (client_ask_one(carrying->client, &question) != ERR_OK)
		return complain_of(carrying->console, carrying->client, &question);
	const struct store_node_reply *reply = question.reply;
	if (!reply->known)
		return complain(carrying->console, END_UNKNOWN, err_name(ERR_NOT_READY),
				"node %u does not know yet who it is: warren why node %u", carrying->node,
				carrying->node);
	hex_text(reply->key.bytes, sizeof reply->key.bytes, carrying->key);
	return END_OK;
}

static enum ending write_list(struct carrying *carrying, FILE *list)
{
	struct store_list request = {.most = PAGE};
	uint32_t count;
	do {
		struct question question = {
			.row = &row_store_list, .kind = STORE, .node = carrying->node, .request = &request};
		char cid[CID_TEXT];
		if (client_ask_one(carrying->client, &question) != ERR_OK)
			return complain_of(carrying->console, carrying->client, &question);
		const struct store_list_reply *reply = question.reply;
		count = reply->blobs_count;
		for (uint32_t i = 0; i < count; i++)
			fprintf(list, "%s\n", cid_text(&reply->blobs[i].cid, cid));
		request.has_after = count > 0;
		if (count)
			request.after = reply->blobs[count - 1].cid;
		client_forget(carrying->client);
	} while (count == PAGE);
	return END_OK;
}

/* Becomes the standard input of what goes on as us. */
static enum ending list_as_input(struct carrying *carrying)
{
	int fd = memfd_create("blobs", MFD_CLOEXEC);
	int again = fd >= 0 ? dup(fd) : -1;
	FILE *list = again >= 0 ? fdopen(again, "w") : NULL;
	enum ending ending = list ? write_list(carrying, list) : END_FAILED;
	bool written = list && !ferror(list) && fclose(list) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
		       dup2(fd, STDIN_FILENO) == STDIN_FILENO;
	if (fd >= 0)
		close(fd);
	if (ending != END_OK && list)
		return ending;
	return written ? END_OK
		       : complain(carrying->console, END_FAILED, "failed", "the list of blobs: %s",
				  strerror(errno));
}

static enum ending carry(struct console *console, const char *verb, bool lists)
{
	struct client client;
	struct carrying carrying = {.console = console, .client = &client};
	const struct arguments *arguments = &console->arguments;
	uint64_t node;
	if (!number_parse(arguments->words[0], 1, NODES_MAX, &node))
		return complain(console, END_USAGE, "usage", "there is no node \"%s\": 1 to %d",
				arguments->words[0], NODES_MAX);
	carrying.node = (uint16_t)node;
	enum ending ending = console_connect(console, &client);
	if (ending != END_OK)
		return ending;
	ending = find_port(&carrying);
	if (ending == END_OK)
		ending = find_key(&carrying);
	if (ending == END_OK && lists)
		ending = list_as_input(&carrying);
	client_close(&client);
	if (ending != END_OK)
		return ending;
	const char *url = argument(arguments, "url");
	const char *argv[9] = {"warren-layout", "--key", carrying.key};
	unsigned count = 3;
	if (console->json)
		argv[count++] = "--json";
	argv[count++] = "--";
	argv[count++] = verb;
	argv[count++] = url ? url : carrying.url;
	argv[count++] = arguments->words[1];
	return become(console, argv);
}

enum ending command_export_blobs(struct console *console)
{
	return carry(console, "export", true);
}

enum ending command_import_blobs(struct console *console)
{
	return carry(console, "import", false);
}
