/* Proofs as JSON. Reading takes hostile bytes: every length is known before it is used. Pure. */
#include "actors/base/proof/proof_json.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/memory/memory.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { LEAF_BASE64 = sodium_base64_ENCODED_LEN(MERKLE_LEAF, sodium_base64_VARIANT_ORIGINAL) };

struct proof_room {
	struct {
		uint8_t bytes[MERKLE_LEAF], path[PROOF_PATH];
	} samples[PROOF_SAMPLES];
};

/* -- writing ------------------------------------------------------------------------------------------------------- */

static json_t *hex(const uint8_t *bytes, size_t length)
{
	char text[2 * 64 + 1];
	return json_string(hex_text(bytes, length, text));
}

static json_t *print_sample(const struct proof_sample *sample)
{
	char bytes[LEAF_BASE64];
	json_t *path = json_array();
	sodium_bin2base64(bytes, sizeof bytes, sample->bytes, sample->length, sodium_base64_VARIANT_ORIGINAL);
	for (size_t i = 0; i < sample->steps; i++)
		json_array_append_new(path, hex(sample->path + 32 * i, 32));
	return json_pack("{s:I, s:s, s:o}", "leaf", (json_int_t)sample->leaf, "bytes", bytes, "path", path);
}

char *proof_print(const struct proof *proof)
{
	char cid[CID_TEXT], peer[PEER_ID_TEXT];
	struct hash root;
	json_t *samples = json_array();
	for (unsigned i = 0; i < proof->count; i++)
		json_array_append_new(samples, print_sample(&proof->samples[i]));
	proof_root(proof->size, &proof->tree, &root);
	json_t *object = json_pack(
		"{s:i, s:s, s:I, s:o, s:o, s:s, s:o, s:o, s:I, s:o, s:o}", "version", PROOF_VERSION, "cid",
		cid_text(&proof->cid, cid), "size", (json_int_t)proof->size, "root", hex(root.bytes, 32),
		"tree", hex(proof->tree.bytes, 32), "nodeId", peer_id_text(&proof->node, peer), "publicKey",
		hex(proof->node.bytes, 32), "challenge", hex(proof->challenge.bytes, 32), "timestamp",
		(json_int_t)proof->time, "proof", hex(proof->signature.bytes, 64), "samples", samples);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

/* -- reading ------------------------------------------------------------------------------------------------------- */

static bool complain(char why[PROOF_WHY], const char *what)
{
	snprintf(why, PROOF_WHY, "%s", what);
	return false;
}

static bool read_hex(const json_t *object, const char *key, uint8_t *into, size_t length, char why[PROOF_WHY])
{
	const json_t *value = json_object_get(object, key);
	if (json_is_string(value) &&
	    hex_parse(json_string_value(value), json_string_length(value), into, length))
		return true;
	snprintf(why, PROOF_WHY, "\"%s\" is not %zu hex digits", key, 2 * length);
	return false;
}

static bool read_number(const json_t *object, const char *key, uint64_t *into, char why[PROOF_WHY])
{
	const json_t *value = json_object_get(object, key);
	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*into = (uint64_t)json_integer_value(value);
		return true;
	}
	snprintf(why, PROOF_WHY, "\"%s\" is not a whole number", key);
	return false;
}

static bool read_path(const json_t *path, uint8_t into[PROOF_PATH], size_t *steps, char why[PROOF_WHY])
{
	if (!json_is_array(path) || json_array_size(path) > MERKLE_LEVELS)
		return complain(why, "a sample's \"path\" is no list of at most 54 nodes");
	*steps = json_array_size(path);
	for (size_t i = 0; i < *steps; i++) {
		const json_t *node = json_array_get(path, i);
		if (!json_is_string(node) ||
		    !hex_parse(json_string_value(node), json_string_length(node), into + 32 * i, 32))
			return complain(why, "a node of a sample's \"path\" is not 64 hex digits");
	}
	return true;
}

static bool read_sample(const json_t *object, struct proof_sample *sample, uint8_t *bytes, uint8_t *path,
			char why[PROOF_WHY])
{
	const json_t *text = json_object_get(object, "bytes");
	const char *end;
	sample->bytes = bytes;
	sample->path = path;
	if (!read_number(object, "leaf", &sample->leaf, why))
		return false;
	if (!json_is_string(text) ||
	    sodium_base642bin(bytes, MERKLE_LEAF, json_string_value(text), json_string_length(text), NULL,
			      &sample->length, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    *end)
		return complain(why, "a sample's \"bytes\" are not base64 of at most 1024 bytes");
	return read_path(json_object_get(object, "path"), path, &sample->steps, why);
}

static bool read_samples(const json_t *samples, struct proof *proof, struct proof_room *room,
			 char why[PROOF_WHY])
{
	if (!json_is_array(samples) || json_array_size(samples) > PROOF_SAMPLES)
		return complain(why, "\"samples\" is no list of at most 64");
	proof->count = (unsigned)json_array_size(samples);
	for (unsigned i = 0; i < proof->count; i++)
		if (!read_sample(json_array_get(samples, i), &proof->samples[i], room->samples[i].bytes,
				 room->samples[i].path, why))
			return false;
	return true;
}

static bool read_proof(const json_t *object, struct proof *proof, struct proof_room *room,
		       char why[PROOF_WHY])
{
	const json_t *cid = json_object_get(object, "cid");
	if (!json_is_object(object))
		return complain(why, "it is no JSON object");
	if (!json_object_get(object, "version") && json_is_string(json_object_get(object, "proof")))
		return complain(why, "a proof without \"version\" signs nothing that needs the bytes");
	if (json_integer_value(json_object_get(object, "version")) != PROOF_VERSION)
		return complain(why, "its \"version\" is not 1");
	if (!json_is_string(cid) || !cid_parse(json_string_value(cid), json_string_length(cid), &proof->cid))
		return complain(why, "\"cid\" is no CID");
	return read_number(object, "size", &proof->size, why) &&
	       read_number(object, "timestamp", &proof->time, why) &&
	       read_hex(object, "tree", proof->tree.bytes, 32, why) &&
	       read_hex(object, "publicKey", proof->node.bytes, 32, why) &&
	       read_hex(object, "challenge", proof->challenge.bytes, 32, why) &&
	       read_hex(object, "proof", proof->signature.bytes, 64, why) &&
	       read_samples(json_object_get(object, "samples"), proof, room, why);
}

bool proof_parse(const char *text, size_t length, struct proof *proof, struct proof_room **room,
		 char why[PROOF_WHY])
{
	json_error_t error;
	*proof = (struct proof){0};
	*room = NULL;
	if (length > PROOF_JSON)
		return complain(why, "it is longer than any proof");
	json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (!object) {
		snprintf(why, PROOF_WHY, "it is no JSON: line %d, %.80s", error.line, error.text);
		return false;
	}
	*room = x_new(sizeof **room);
	bool fits = read_proof(object, proof, *room, why);
	json_decref(object);
	if (!fits)
		x_free(room);
	return fits;
}
