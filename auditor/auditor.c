/* warren-auditor: asks a node to prove that it holds what it was given, and judges the answers. Runs as whoever starts it; touches a
 * list of CIDs and roots and speaks HTTP to one address; holds no key. When it dies nothing has changed anywhere. */
#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"
#include "actors/base/memory/memory.h"
#include "actors/base/proof/proof_json.h"
#include "auditor/ask.h"
#include "auditor/list.h"
#include "proto/err.h"
#include "proto/version.h"

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DRAWS = 90, DRAWS_MOST = 100000, KINDS_MOST = 48, URL_TEXT = 512, EXIT_USAGE = 2, EXIT_SILENT = 5 };

struct audit {
	const char *url, *list_path;
	uint64_t draws, leaves;
	bool json, key_told; /* the key was not given, but told by the node itself */
	struct key key;
	struct listed *rows;
	size_t row_count;

	uint64_t held, failed, silent;
	struct {
		char name[24];
		uint64_t count;
	} kinds[KINDS_MOST]; /* of failures */
	unsigned kind_count;
};

static int complain(const struct audit *audit, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static int complain(const struct audit *audit, int code, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (audit->json) {
		json_t *object = json_pack("{s:b, s:s}", "ok", 0, "why", text);
		json_dumpf(object, stdout, JSON_COMPACT);
		puts("");
		json_decref(object);
	} else {
		fprintf(stderr, "warren-auditor: %s\n", text);
	}
	return code;
}

/* -- one draw ------------------------------------------------------------------------------------------------------ */

/* Names come from our tables or are cut to letters: what the node says is never printed as it came. */
static void count_failure(struct audit *audit, const char *name)
{
	audit->failed++;
	for (unsigned i = 0; i < audit->kind_count; i++)
		if (strcmp(audit->kinds[i].name, name) == 0) {
			audit->kinds[i].count++;
			return;
		}
	if (audit->kind_count == KINDS_MOST)
		return;
	snprintf(audit->kinds[audit->kind_count].name, sizeof audit->kinds[0].name, "%s", name);
	audit->kinds[audit->kind_count++].count = 1;
}

static void judge(struct audit *audit, const struct answer *answer, const struct proof_wanted *wanted)
{
	struct proof *proof = x_new(sizeof *proof);
	struct proof_room *room;
	char why[PROOF_WHY];
	if (!proof_parse(answer->body ? answer->body : "", answer->length, proof, &room, why)) {
		count_failure(audit, "malformed");
	} else {
		enum proof_verdict verdict = proof_judge(proof, wanted);
		if (verdict == PROOF_HOLDS)
			audit->held++;
		else
			count_failure(audit, proof_verdict_name(verdict));
		x_free(&room);
	}
	x_free(&proof);
}

static void count_refusal(struct audit *audit, const struct answer *answer)
{
	char name[24];
	if (answer->status == 404)
		snprintf(name, sizeof name, "not-found");
	else
		snprintf(name, sizeof name, "http-%ld", answer->status);
	count_failure(audit, name);
}

static void draw(struct audit *audit)
{
	uint64_t number;
	struct hash challenge;
	char url[URL_TEXT + 32], body[256], cid[CID_TEXT], hex[65];
	struct answer answer;
	bug_if(!audit->row_count); /* list_read() gives at least one */
	random_bytes(&number, sizeof number);
	random_bytes(&challenge, sizeof challenge);
	const struct listed *row = &audit->rows[number % audit->row_count];
	snprintf(url, sizeof url, "%s/proofs/generate", audit->url);
	snprintf(body, sizeof body, "{\"cid\":\"%s\",\"challenge\":\"%s\",\"samples\":%" PRIu64 "}",
		 cid_text(&row->cid, cid), hex_text(challenge.bytes, 32, hex), audit->leaves);
	ask(url, body, &answer);
	const struct proof_wanted wanted = {.cid = row->cid,
					    .root = row->root,
					    .node = audit->key,
					    .challenge = &challenge,
					    .samples = (unsigned)audit->leaves,
					    .now = (uint64_t)time(NULL)};
	if (answer.status == 200) {
		judge(audit, &answer, &wanted);
	} else if (answer.status) {
		count_refusal(audit, &answer);
	} else {
		audit->silent++;
		count_failure(audit, "silent");
	}
	answer_end(&answer);
}

/* -- the report ---------------------------------------------------------------------------------------------------- */

/* That a node which misses the fraction `missing` would have failed at least once. */
static double chance(const struct audit *audit, double missing)
{
	return 1 - pow(1 - missing, (double)audit->draws);
}

static void report_json(const struct audit *audit)
{
	char key[65];
	json_t *failures = json_object();
	for (unsigned i = 0; i < audit->kind_count; i++)
		json_object_set_new(failures, audit->kinds[i].name,
				    json_integer((json_int_t)audit->kinds[i].count));
	json_t *object =
		json_pack("{s:b, s:s, s:s, s:b, s:I, s:I, s:I, s:o, s:f, s:f}", "ok", audit->failed == 0,
			  "url", audit->url, "key", hex_text(audit->key.bytes, 32, key), "keyGiven",
			  !audit->key_told, "blobs", (json_int_t)audit->row_count, "asked",
			  (json_int_t)audit->draws, "held", (json_int_t)audit->held, "failures", failures,
			  "found5", chance(audit, 0.05), "found1", chance(audit, 0.01));
	json_dumpf(object, stdout, JSON_INDENT(2));
	puts("");
	json_decref(object);
}

static void report(const struct audit *audit)
{
	char key[65];
	printf("%" PRIu64 " of %" PRIu64 " answers hold\n", audit->held, audit->draws);
	for (unsigned i = 0; i < audit->kind_count; i++)
		printf("%6" PRIu64 " %s\n", audit->kinds[i].count, audit->kinds[i].name);
	if (audit->failed)
		printf("the node with the key %s does not hold what it claims, or does not say so\n",
		       hex_text(audit->key.bytes, 32, key));
	else
		printf("a node that misses 5 %% of these blobs would have been found with probability %.3f, "
		       "1 %%: "
		       "%.3f\n",
		       chance(audit, 0.05), chance(audit, 0.01));
	if (audit->key_told)
		printf("its key was taken from its own /info; give --key to know whom you speak to\n");
}

/* -- what is wanted ------------------------------------------------------------------------------------------------ */

static int usage(void)
{
	fputs("usage: warren-auditor [--draws N] [--leaves N] [--key HEX] [--json] URL LIST\n"
	      "  URL       the node: http://127.0.0.1:5001\n"
	      "  LIST      a file with CID and root in each line, as warren cid prints them; - is standard "
	      "input\n"
	      "  --draws   how many blobs are asked for, each drawn anew; 90 unless given\n"
	      "  --leaves  how many leaves of each, 1 to 64; 8 unless given\n"
	      "  --key     the node's public key, 64 hex digits; else the one that it tells\n",
	      stderr);
	return EXIT_USAGE;
}

/* 64 hex digits, with or without 0x. */
static bool read_key(const char *text, struct key *key)
{
	if (strncmp(text, "0x", 2) == 0)
		text += 2;
	return hex_parse(text, strlen(text), key->bytes, sizeof key->bytes);
}

static bool number(const char *text, uint64_t most, uint64_t *into)
{
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	*into = value;
	return text[0] >= '0' && text[0] <= '9' && !*end && !errno && value >= 1 && value <= most;
}

static int read_options(struct audit *audit, int argc, char **argv, bool *key_given)
{
	static const struct option options[] = {{"draws", 1, NULL, 'd'},
						{"leaves", 1, NULL, 'l'},
						{"key", 1, NULL, 'k'},
						{"json", 0, NULL, 'j'},
						{"version", 0, NULL, 'v'},
						{"help", 0, NULL, 'h'},
						{0}};
	for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) >= 0;) {
		bool fits = true;
		if (option == 'd')
			fits = number(optarg, DRAWS_MOST, &audit->draws);
		else if (option == 'l')
			fits = number(optarg, PROOF_SAMPLES, &audit->leaves);
		else if (option == 'k')
			fits = *key_given = read_key(optarg, &audit->key);
		else if (option == 'j')
			audit->json = true;
		else
			fits = false;
		if (option == 'v') {
			puts("warren-auditor " WARREN_VERSION);
			exit(0);
		}
		if (!fits)
			return usage();
	}
	if (argc - optind != 2 || strlen(argv[optind]) >= URL_TEXT)
		return usage();
	audit->url = argv[optind];
	audit->list_path = argv[optind + 1];
	return 0;
}

static int read_list(struct audit *audit)
{
	bug_if(!audit->list_path);
	bool standard = strcmp(audit->list_path, "-") == 0;
	size_t line = 0;
	FILE *file = standard ? stdin : fopen(audit->list_path, "re");
	if (!file)
		return complain(audit, 1, "%s cannot be read: %s", audit->list_path, strerror(errno));
	audit->rows = list_read(file, &audit->row_count, &line);
	if (!standard)
		fclose(file);
	if (audit->rows)
		return 0;
	if (line)
		return complain(
			audit, 1,
			"%s, line %zu: a CID and a root of 64 hex digits are wanted (at most %d lines)",
			audit->list_path, line, LIST_MOST);
	return complain(audit, 1, "%s names no blob", audit->list_path);
}

static int ask_key(struct audit *audit)
{
	char url[URL_TEXT + 32];
	struct answer answer;
	snprintf(url, sizeof url, "%s/info", audit->url);
	ask(url, NULL, &answer);
	json_t *info = answer.body ? json_loadb(answer.body, answer.length, 0, NULL) : NULL;
	const json_t *key = json_object_get(info, "publicKey");
	bool told = json_is_string(key) && read_key(json_string_value(key), &audit->key);
	json_decref(info);
	int code = 0;
	if (!told)
		code = answer.status ? complain(audit, 1, "%s/info tells no public key (status %ld)",
						audit->url, answer.status)
				     : complain(audit, EXIT_SILENT, "%s does not answer: %s", audit->url,
						answer.why);
	answer_end(&answer);
	audit->key_told = true;
	return code;
}

int main(int argc, char **argv)
{
	static struct audit audit = {.draws = DRAWS, .leaves = PROOF_SAMPLES_USUAL};
	bool key_given = false;
	int code = read_options(&audit, argc, argv, &key_given);
	if (!code)
		code = read_list(&audit);
	if (!code && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		code = complain(&audit, 1, "libcurl does not start");
	if (!code && !key_given)
		code = ask_key(&audit);
	if (!code) {
		crypto_warm();
		for (uint64_t i = 0; i < audit.draws; i++)
			draw(&audit);
		if (audit.json)
			report_json(&audit);
		else
			report(&audit);
		code = audit.failed ? 1 : 0;
	}
	x_free(&audit.rows);
	return code;
}
