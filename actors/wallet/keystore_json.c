/* The JSON of a V3 keystore: jansson for the grammar, bounds here. Plain C; reads bytes of a stranger, so nothing is taken that is not
 * exactly what the format says, and no parameter that would cost more than 256 MiB. */
#include "actors/wallet/keystore.h"

#include "actors/base/crypto/crypto.h"
#include "actors/base/log/log.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH = 8 };

__attribute__((format(printf, 2, 3))) static bool no(char why[KEYSTORE_WHY], const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(why, KEYSTORE_WHY, format, arguments);
	va_end(arguments);
	return false;
}

static bool get_hex(const json_t *object, const char *name, uint8_t *bytes, size_t least, size_t most,
		    size_t *length, char why[KEYSTORE_WHY])
{
	const char *text = json_string_value(json_object_get(object, name));
	*length = text ? strlen(text) / 2 : 0;
	if (!text || *length < least || *length > most || !hex_parse(text, strlen(text), bytes, *length))
		return no(why, "the keystore's %s is not %zu%s bytes in hex", name, most,
			  least < most ? " or fewer" : "");
	return true;
}

static bool get_number(const json_t *object, const char *name, uint32_t most, uint32_t *number,
		       char why[KEYSTORE_WHY])
{
	const json_t *value = json_object_get(object, name);
	if (!json_is_integer(value) || json_integer_value(value) < 1)
		return no(why, "the keystore's %s is no number above zero", name);
	if (json_integer_value(value) > (json_int_t)most)
		return no(why,
			  "the keystore's %s is %" JSON_INTEGER_FORMAT
			  "; more than %u is refused before it costs memory or time",
			  name, json_integer_value(value), most);
	*number = (uint32_t)json_integer_value(value);
	return true;
}

static bool word_is(const json_t *object, const char *name, const char *word, char why[KEYSTORE_WHY])
{
	const char *text = json_string_value(json_object_get(object, name));
	return (text && strcmp(text, word) == 0) || no(why, "the keystore's %s is not %s", name, word);
}

static bool read_scrypt(const json_t *params, struct keystore *keystore, char why[KEYSTORE_WHY])
{
	if (!get_number(params, "n", KEYSTORE_N, &keystore->n, why) ||
	    !get_number(params, "r", KEYSTORE_R, &keystore->r, why) ||
	    !get_number(params, "p", KEYSTORE_P, &keystore->p, why))
		return false;
	return (keystore->n > 1 && (keystore->n & (keystore->n - 1)) == 0) ||
	       no(why, "the keystore's n is no power of two");
}

static bool read_kdf(const json_t *crypto, struct keystore *keystore, char why[KEYSTORE_WHY])
{
	const char *kdf = json_string_value(json_object_get(crypto, "kdf"));
	const json_t *params = json_object_get(crypto, "kdfparams");
	uint32_t length;
	if (!kdf || (strcmp(kdf, "scrypt") != 0 && strcmp(kdf, "pbkdf2") != 0))
		return no(why, "the keystore's kdf is neither scrypt nor pbkdf2");
	keystore->kdf = strcmp(kdf, "scrypt") == 0 ? KDF_SCRYPT : KDF_PBKDF2;
	if (!get_number(params, "dklen", 32, &length, why) ||
	    !get_hex(params, "salt", keystore->salt, 1, KEYSTORE_SALT, &keystore->salt_length, why))
		return false;
	if (length != 32)
		return no(why, "the keystore's dklen is not 32");
	if (keystore->kdf == KDF_SCRYPT)
		return read_scrypt(params, keystore, why);
	return word_is(params, "prf", "hmac-sha256", why) &&
	       get_number(params, "c", KEYSTORE_ROUNDS, &keystore->rounds, why);
}

static bool read_address(const json_t *root, struct keystore *keystore, char why[KEYSTORE_WHY])
{
	const char *text = json_string_value(json_object_get(root, "address"));
	if (!json_object_get(root, "address"))
		return true;
	if (text && strncmp(text, "0x", 2) == 0)
		text += 2;
	keystore->has_address = true;
	return (text &&
		hex_parse(text, strlen(text), keystore->address.bytes, sizeof keystore->address.bytes)) ||
	       no(why, "the keystore's address is none");
}

static bool read_root(const json_t *root, struct keystore *keystore, char why[KEYSTORE_WHY])
{
	const json_t *crypto = json_object_get(root, "crypto"), *version = json_object_get(root, "version");
	size_t length;
	if (!crypto)
		crypto = json_object_get(root, "Crypto"); /* of geth before 1.5 */
	if (!json_is_integer(version) || json_integer_value(version) != 3)
		return no(why, "the keystore is not of version 3");
	if (!json_is_object(crypto))
		return no(why, "the keystore has no part \"crypto\"");
	return word_is(crypto, "cipher", "aes-128-ctr", why) &&
	       get_hex(json_object_get(crypto, "cipherparams"), "iv", keystore->iv, 16, 16, &length, why) &&
	       get_hex(crypto, "ciphertext", keystore->ciphertext, 32, 32, &length, why) &&
	       get_hex(crypto, "mac", keystore->mac, 32, 32, &length, why) &&
	       read_kdf(crypto, keystore, why) && read_address(root, keystore, why);
}

/* The grammar's depth, before jansson goes down it. */
static bool shallow(const char *json, size_t length)
{
	unsigned depth = 0;
	for (size_t i = 0; i < length; i++) {
		depth += json[i] == '{' || json[i] == '[';
		depth -= depth && (json[i] == '}' || json[i] == ']');
		if (depth > DEPTH)
			return false;
	}
	return true;
}

bool keystore_parse(const char *json, size_t length, struct keystore *keystore, char why[KEYSTORE_WHY])
{
	json_error_t error;
	*keystore = (struct keystore){0};
	if (length > KEYSTORE_BYTES || !shallow(json, length))
		return no(why, "this is no keystore: it is longer or deeper than any is");
	json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return no(why, "this is no keystore: line %d of its JSON is not right", error.line);
	bool fine = read_root(root, keystore, why);
	json_decref(root);
	if (!fine)
		*keystore = (struct keystore){0};
	return fine;
}

size_t keystore_print(const struct keystore *keystore, char json[KEYSTORE_TEXT])
{
	char address[41], ciphertext[65], iv[33], salt[2 * KEYSTORE_SALT + 1], mac[65], id[33];
	uint8_t uuid[16];
	random_bytes(uuid, sizeof uuid);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40); /* RFC 9562: version 4 */
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
	hex_text(uuid, sizeof uuid, id);
	bug_if(keystore->kdf != KDF_SCRYPT || !keystore->has_address);
	int length = snprintf(
		json, KEYSTORE_TEXT,
		"{\"version\":3,\"id\":\"%.8s-%.4s-%.4s-%.4s-%.12s\",\"address\":\"%s\",\"crypto\":{"
		"\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":\"%s\"},\"ciphertext\":\"%s\","
		"\"kdf\":\"scrypt\",\"kdfparams\":{\"dklen\":32,\"n\":%u,\"r\":%u,\"p\":%u,\"salt\":\"%s\"},"
		"\"mac\":\"%s\"}}\n",
		id, id + 8, id + 12, id + 16, id + 20, hex_text(keystore->address.bytes, 20, address),
		hex_text(keystore->iv, 16, iv), hex_text(keystore->ciphertext, 32, ciphertext), keystore->n,
		keystore->r, keystore->p, hex_text(keystore->salt, keystore->salt_length, salt),
		hex_text(keystore->mac, 32, mac));
	bug_if(length < 0 || length >= KEYSTORE_TEXT);
	return (size_t)length;
}
